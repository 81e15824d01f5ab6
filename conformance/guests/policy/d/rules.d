/// The rules about payloads. They know bytes, no contract. What they make is malloc's.
module rules;

import bindings : abort, realloc;

@nogc nothrow:

alias Bytes = const(ubyte)[];

/// Bytes that grow.
struct Buffer
{
@nogc nothrow:
    ubyte* ptr;
    size_t len, cap;

    void put(Bytes s)
    {
        if (s.length > cap - len)
        {
            cap = 2 * cap + s.length + 64;
            ptr = cast(ubyte*) realloc(ptr, cap);
            if (ptr is null)
                abort();
        }
        foreach (i, c; s)
            ptr[len + i] = c;
        len += s.length;
    }

    void put(string s)
    {
        put(cast(Bytes) s);
    }

    void put(ubyte c)
    {
        put((&c)[0 .. 1]);
    }

    void putEscaped(Bytes s)
    {
        static immutable digits = "0123456789abcdef";
        foreach (c; s)
        {
            if (c == '"' || c == '\\')
                put('\\');
            if (c >= 0x20)
            {
                put(c);
                continue;
            }
            put(`\u00`);
            put(digits[c >> 4]);
            put(digits[c & 15]);
        }
    }

    ubyte[] whole()
    {
        return ptr[0 .. len];
    }
}

bool startsWith(Bytes s, Bytes prefix)
{
    return s.length >= prefix.length && s[0 .. prefix.length] == prefix;
}

bool startsWith(Bytes s, string prefix)
{
    return startsWith(s, cast(Bytes) prefix);
}

bool endsWith(Bytes s, string suffix)
{
    return s.length >= suffix.length && s[$ - suffix.length .. $] == cast(Bytes) suffix;
}

private bool isSpace(ubyte c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

private Bytes trim(Bytes s)
{
    while (s.length && isSpace(s[0]))
        s = s[1 .. $];
    while (s.length && isSpace(s[$ - 1]))
        s = s[0 .. $ - 1];
    return s;
}

/// What stands between the brackets of a trimmed text; false if it has not both.
private bool between(Bytes s, char open, char close, out Bytes inner)
{
    s = trim(s);
    if (s.length < 2 || s[0] != open || s[$ - 1] != close)
        return false;
    inner = s[1 .. $ - 1];
    return true;
}

/// The index of the quote that ends the string which begins at i, or the length.
private size_t stringEnd(Bytes s, size_t i)
{
    for (i++; i < s.length && s[i] != '"'; i++)
        if (s[i] == '\\')
            i++;
    return i < s.length ? i : s.length;
}

/// The index of c, or the length.
size_t indexOf(Bytes s, char c)
{
    foreach (i, b; s)
        if (b == c)
            return i;
    return s.length;
}

/// Whether all of s is a number of RFC 8259, section 6.
private bool isNumber(Bytes s)
{
    bool skip(string any)
    {
        if (!s.length || indexOf(cast(Bytes) any, s[0]) == any.length)
            return false;
        s = s[1 .. $];
        return true;
    }

    bool digits()
    {
        const before = s.length;
        while (skip("0123456789"))
        {
        }
        return s.length < before;
    }

    skip("-");
    if (!skip("0") && !digits())
        return false;
    if (skip(".") && !digits())
        return false;
    if (skip("eE"))
    {
        skip("+-");
        if (!digits())
            return false;
    }
    return !s.length;
}

private void putPair(ref Buffer b, Bytes part)
{
    const eq = indexOf(part, '=');
    const value = eq < part.length ? part[eq + 1 .. $] : null;
    if (b.len > 1)
        b.put(',');
    b.put('"');
    b.putEscaped(part[0 .. eq]);
    b.put(`":`);
    if (isNumber(value))
    {
        b.put(value);
        return;
    }
    b.put('"');
    b.putEscaped(value);
    b.put('"');
}

/// "key=value;key=value" as a JSON object; the caller frees it.
ubyte[] pairs(Bytes payload)
{
    Buffer b;
    b.put('{');
    while (payload.length)
    {
        const n = indexOf(payload, ';');
        if (n)
            putPair(b, payload[0 .. n]);
        payload = payload[(n < payload.length ? n + 1 : n) .. $];
    }
    b.put('}');
    return b.whole;
}

/// Calls put for every element of an array and answers how many there are. -1: not an array.
int batch(Bytes payload, scope void delegate(size_t, Bytes) @nogc nothrow put)
{
    Bytes s;
    if (!between(payload, '[', ']', s))
        return -1;
    if (!trim(s).length)
        return 0;
    int n, depth;
    size_t start;
    for (size_t i = 0; i <= s.length; i++)
    {
        const c = i < s.length ? s[i] : ',';
        if (c == '"')
        {
            i = stringEnd(s, i);
            if (i == s.length)
                return -1;
        }
        else if (c == '{' || c == '[')
            depth++;
        else if (c == '}' || c == ']')
        {
            if (--depth < 0)
                return -1;
        }
        else if (c == ',' && depth == 0)
        {
            const element = trim(s[start .. i]);
            if (!element.length)
                return -1;
            put(n++, element);
            start = i + 1;
        }
    }
    return depth == 0 ? n : -1;
}

/// Has "temperature" for the key "temp"; the caller frees it. Null if nothing is to be changed.
ubyte[] renamed(Bytes payload)
{
    Bytes inner;
    if (!between(payload, '{', '}', inner))
        return null;
    int depth;
    for (size_t i = 0; i < payload.length; i++)
    {
        const c = payload[i];
        if (c == '{' || c == '[')
            depth++;
        if (c == '}' || c == ']')
            depth--;
        if (c != '"')
            continue;
        const end = stringEnd(payload, i);
        if (end == payload.length)
            return null;
        size_t next = end + 1;
        while (next < payload.length && isSpace(payload[next]))
            next++;
        const colon = next < payload.length && payload[next] == ':';
        if (depth == 1 && colon && payload[i + 1 .. end] == cast(Bytes) "temp")
        {
            Buffer b;
            b.put(payload[0 .. i + 1]);
            b.put("temperature");
            b.put(payload[end .. $]);
            return b.whole;
        }
        i = end;
    }
    return null;
}

/// Has the member "to"; the caller frees it. Null if payload is no object.
ubyte[] addressed(Bytes payload, Bytes clientId)
{
    Bytes inner;
    if (!between(payload, '{', '}', inner))
        return null;
    size_t last = payload.length - 1;
    while (payload[last] != '}')
        last--;
    Buffer b;
    b.put(payload[0 .. last]);
    if (trim(inner).length)
        b.put(',');
    b.put(`"to":"`);
    b.putEscaped(clientId);
    b.put('"');
    b.put(payload[last .. $]);
    return b.whole;
}
