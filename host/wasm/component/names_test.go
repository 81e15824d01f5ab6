package component

import "testing"

func TestExternNames(t *testing.T) {
	good := []string{
		"a", "a1", "A", "A1", "a-1", "a-B-c", "a11-B11-123-ABC-abc", "x:y/z", "x-1:y-2/z-3",
		"x:y/Z", "x:y/z@0.0.0", "x:y/z@1.2.3", "x:y/z@1.2.3-rc.1", "x:y/z@1.2.3+b-1.0001",
		"x:y/z@1.2.3-0a.b-c+d", "[constructor]a", "[method]a.b", "[static]a.b-c",
		"[method]AB.c-1",
	}
	for _, s := range good {
		if _, err := parseExternName(s); err != nil {
			t.Error(err)
		}
	}
	bad := []string{
		"", "1", "1-a", "a-", "-a", "a--b", "aB", "Ab", "a_b", "a.b", "ä", "a b", "a:b", "a/b",
		"a:b/", ":b/c", "a:/c", "A:b/c", "a:B/c", "a:b/cD", "a:b/c/d", "a:b:c/d", "1:b/c",
		"x:y/z@", "x:y/z@1", "x:y/z@1.2", "x:y/z@1.2.3.4", "x:y/z@01.2.3", "x:y/z@1.2.3-",
		"x:y/z@1.2.3-01", "x:y/z@1.2.3+", "x:y/z@1.2.3-a..b", "x:y/z@1.2.3+a_b", "x:y/z@a.2.3",
		"[constructor]", "[constructor]a.b", "[method]a", "[method]a.", "[method].a",
		"[method]a.b.c", "[static]a", "[other]a", "[get]a", "[async]a", "[methoda.b",
	}
	for _, s := range bad {
		if _, err := parseExternName(s); err == nil {
			t.Errorf("%q is accepted", s)
		}
	}
}

func TestNamesAreUnique(t *testing.T) {
	set := nameSet{}
	for _, s := range []string{
		"foo", "foo-bar", "[constructor]foo", "[method]foo.bar", "[static]foo.baz", "foo:bar/baz",
		"foo:bar/baz@1.0.0",
	} {
		if err := set.add(s); err != nil {
			t.Error(err)
		}
	}
	for _, s := range []string{
		"foo", "FOO", "foo-BAR", "foobar", "foob-ar", "[constructor]FOO", "[method]foo.BAR",
		"[static]foo.bar", "[method]foo.baz", "[method]foo.foo", "[static]foobar.FOOBAR",
		"foo:bar/BAZ",
	} {
		if err := set.add(s); err == nil {
			t.Errorf("%q is accepted", s)
		}
	}
}
