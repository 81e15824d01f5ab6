//! The rules about payloads. They know bytes, no contract.

fn is_space(b: &u8) -> bool {
    matches!(b, b' ' | b'\t' | b'\n' | b'\r')
}

fn trim(s: &[u8]) -> &[u8] {
    let Some(from) = s.iter().position(|b| !is_space(b)) else { return &[] };
    let to = s.iter().rposition(|b| !is_space(b)).map_or(from, |i| i + 1);
    &s[from..to]
}

/// What stands between the brackets of a trimmed text, None if it has not both.
fn between(s: &[u8], open: u8, close: u8) -> Option<&[u8]> {
    match trim(s) {
        [first, inner @ .., last] if *first == open && *last == close => Some(inner),
        _ => None,
    }
}

/// The index of the quote that ends the string which begins at `from`.
fn end(s: &[u8], from: usize) -> Option<usize> {
    let mut i = from + 1;
    while i < s.len() {
        match s[i] {
            b'\\' => i += 1,
            b'"' => return Some(i),
            _ => {}
        }
        i += 1;
    }
    None
}

fn escape(out: &mut Vec<u8>, s: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for &b in s {
        match b {
            b'"' | b'\\' => out.extend([b'\\', b]),
            0..0x20 => {
                out.extend(b"\\u00");
                out.extend([DIGITS[b as usize >> 4], DIGITS[b as usize & 15]]);
            }
            _ => out.push(b),
        }
    }
}

/// Whether all of s is a number of RFC 8259, section 6.
fn is_number(s: &[u8]) -> bool {
    /// Cuts digits off, None if there is none.
    fn digits(s: &[u8]) -> Option<&[u8]> {
        let n = s.iter().take_while(|b| b.is_ascii_digit()).count();
        (n > 0).then(|| &s[n..])
    }
    fn parse(s: &[u8]) -> Option<&[u8]> {
        let s = s.strip_prefix(b"-").unwrap_or(s);
        let mut s = match s.strip_prefix(b"0") {
            Some(rest) => rest,
            None => digits(s)?,
        };
        if let Some(rest) = s.strip_prefix(b".") {
            s = digits(rest)?;
        }
        if let [b'e' | b'E', rest @ ..] = s {
            s = match rest {
                [b'+' | b'-', rest @ ..] => digits(rest)?,
                _ => digits(rest)?,
            };
        }
        Some(s)
    }
    parse(s).is_some_and(<[u8]>::is_empty)
}

/// "key=value;key=value" as a JSON object.
pub fn pairs(payload: &[u8]) -> Vec<u8> {
    let mut out = vec![b'{'];
    for part in payload.split(|b| *b == b';').filter(|part| !part.is_empty()) {
        let (key, value) = match part.iter().position(|b| *b == b'=') {
            Some(i) => (&part[..i], &part[i + 1..]),
            None => (part, &[][..]),
        };
        if out.len() > 1 {
            out.push(b',');
        }
        out.push(b'"');
        escape(&mut out, key);
        out.extend(b"\":");
        if is_number(value) {
            out.extend(value);
            continue;
        }
        out.push(b'"');
        escape(&mut out, value);
        out.push(b'"');
    }
    out.push(b'}');
    out
}

/// The elements of an array, None if it is none.
pub fn batch(payload: &[u8]) -> Option<Vec<&[u8]>> {
    let s = between(payload, b'[', b']')?;
    let (mut parts, mut depth, mut from, mut i) = (Vec::new(), 0, 0, 0);
    if trim(s).is_empty() {
        return Some(parts);
    }
    while i < s.len() {
        match s[i] {
            b'"' => i = end(s, i)?,
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth == 0 => return None,
            b'}' | b']' => depth -= 1,
            b',' if depth == 0 => {
                parts.push(trim(&s[from..i]));
                from = i + 1;
            }
            _ => {}
        }
        i += 1;
    }
    parts.push(trim(&s[from..]));
    (depth == 0 && parts.iter().all(|part| !part.is_empty())).then_some(parts)
}

/// An object whose key "temp" is "temperature" now, None if nothing is to be changed.
pub fn renamed(payload: &[u8]) -> Option<Vec<u8>> {
    between(payload, b'{', b'}')?;
    let (mut depth, mut i) = (0, 0);
    while i < payload.len() {
        match payload[i] {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            b'"' => {
                let last = end(payload, i)?;
                let next = payload[last + 1..].iter().find(|b| !is_space(b));
                if depth == 1 && &payload[i + 1..last] == b"temp" && next == Some(&b':') {
                    return Some([&payload[..i + 1], b"temperature", &payload[last..]].concat());
                }
                i = last;
            }
            _ => {}
        }
        i += 1;
    }
    None
}

/// An object with the member "to", None if payload is no object.
pub fn addressed(payload: &[u8], client_id: &str) -> Option<Vec<u8>> {
    let inner = between(payload, b'{', b'}')?;
    let last = payload.iter().rposition(|b| *b == b'}')?;
    let mut out = Vec::with_capacity(payload.len() + client_id.len() + 16);
    out.extend(&payload[..last]);
    if !trim(inner).is_empty() {
        out.push(b',');
    }
    out.extend(b"\"to\":\"");
    escape(&mut out, client_id.as_bytes());
    out.push(b'"');
    out.extend(&payload[last..]);
    Some(out)
}
