package fields

import "strconv"

// powers are the powers of ten that a float64 holds without error, as far as they are of use here.
var powers = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13,
	1e14, 1e15}

const (
	// exact is above every integer of 15 digits; those and their quotients by powers are exact or
	// rounded once, as strconv rounds.
	exact = 1e15
	// places is how many digits after the point the short way of AppendNumber looks for.
	places = 6
	// near is less than half of the 15th digit of any number, relative to it.
	near = 4e-16
)

// Number is the value of a JSON number; false for any other JSON value.
func Number(text string) (float64, bool) {
	i, negative := 0, false
	if text[0] == '-' {
		i, negative = 1, true
	}
	if i == len(text) || text[i] < '0' || text[i] > '9' {
		return 0, false
	}
	// Up to 15 digits and a point: one exact division gives what strconv gives [Clinger 1990].
	var mantissa int64
	scale := -1
	for ; i < len(text) && i <= len(powers); i++ {
		switch c := text[i]; {
		case c >= '0' && c <= '9':
			mantissa = 10*mantissa + int64(c-'0')
			if scale >= 0 {
				scale++
			}
		case c == '.':
			scale = 0
		default:
			return parse(text)
		}
	}
	if i < len(text) || mantissa >= exact {
		return parse(text)
	}
	n := float64(mantissa)
	if scale > 0 {
		n /= powers[scale]
	}
	if negative {
		n = -n
	}
	return n, true
}

func parse(text string) (float64, bool) {
	n, err := strconv.ParseFloat(text, 64)
	return n, err == nil
}

// AppendNumber writes n with up to 15 digits, which a float64 surely holds: so 3 × 0.1 is 0.3. What
// JSON has no text for is null.
func AppendNumber(dst []byte, n float64) []byte {
	if n-n != 0 {
		return append(dst, "null"...)
	}
	// Most numbers have few digits after the point. If r / 10^6 is that near to n, it is what 15
	// digits of n say.
	if n > -1e9 && n < 1e9 {
		r := round(n * powers[places])
		if d := r/powers[places] - n; d <= near*n && d >= -near*n || d >= near*n && d <= -near*n {
			return appendScaled(dst, int64(r), places, true)
		}
	}
	return strconv.AppendFloat(dst, n, 'g', 15, 64)
}

// AppendFixed writes n rounded to so many digits after the point, 0 to 15; half goes away from 0.
func AppendFixed(dst []byte, n float64, digits int) []byte {
	if n-n != 0 {
		return append(dst, "null"...)
	}
	if r := round(n * powers[digits]); r > -exact && r < exact {
		return appendScaled(dst, int64(r), digits, false)
	}
	return strconv.AppendFloat(dst, n, 'f', digits, 64)
}

// round is to the nearest integer, for numbers an int64 holds; others stay.
func round(n float64) float64 {
	switch {
	case n >= exact || n <= -exact:
		return n
	case n < 0:
		return float64(int64(n - 0.5))
	}
	return float64(int64(n + 0.5))
}

// appendScaled writes v / 10^digits; trim leaves zeros at its end out.
func appendScaled(dst []byte, v int64, digits int, trim bool) []byte {
	if v < 0 {
		dst = append(dst, '-')
		v = -v
	}
	for trim && digits > 0 && v%10 == 0 {
		v /= 10
		digits--
	}
	var text [20]byte
	at := len(text)
	for n := 0; v > 0 || n <= digits; n++ {
		if n == digits && digits > 0 {
			at--
			text[at] = '.'
		}
		at--
		text[at] = byte('0' + v%10)
		v /= 10
	}
	return append(dst, text[at:]...)
}
