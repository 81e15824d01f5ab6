package cert

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"slices"
)

// doubts says why clients may refuse a certificate that was read from path, whatever their clocks.
func doubts(path string, pair tls.Certificate) []string {
	var out []string
	use := pair.Leaf.ExtKeyUsage
	if len(use)+len(pair.Leaf.UnknownExtKeyUsage) > 0 &&
		!slices.Contains(use, x509.ExtKeyUsageServerAuth) &&
		!slices.Contains(use, x509.ExtKeyUsageAny) {
		out = append(out, fmt.Sprintf("certificate %s (%s) is refused by clients: it is not for "+
			"servers: have one issued with the extended key usage serverAuth",
			path, pair.Leaf.Subject))
	}
	below := pair.Leaf
	for i, der := range pair.Certificate[1:] {
		above, err := x509.ParseCertificate(der)
		if err != nil {
			return out // read has parsed it
		}
		if err := below.CheckSignatureFrom(above); err != nil {
			return append(out, fmt.Sprintf("certificate %s: number %d in it (%s) is not signed by "+
				"the next (%s): clients may refuse the chain: put each before who signed it",
				path, i+1, below.Subject, above.Subject))
		}
		below = above
	}
	return out
}
