## The rules about payloads. They know bytes, no contract.
import std/[options, strutils]

const spaces = {' ', '\t', '\n', '\r'}

func trim(s: string): string = s.strip(chars = spaces)

func between(s: string, open, close: char): Option[string] =
  ## What stands between the brackets of a trimmed text, none if it has not both.
  let t = s.trim
  if t.len >= 2 and t[0] == open and t[^1] == close: some(t[1 ..< ^1])
  else: none(string)

func stringEnd(s: string, start: int): int =
  ## The index of the quote that ends the string which begins at start, or -1.
  var i = start + 1
  while i < s.len:
    case s[i]
    of '"': return i
    of '\\': i += 2
    else: inc i
  -1

func escaped(s: string): string =
  for c in s:
    case c
    of '"', '\\': result.add '\\' & c
    of '\0' .. '\x1f': result.add "\\u00" & c.ord.toHex(2).toLowerAscii
    else: result.add c

func skip(s: string, i: var int, any: set[char]): bool =
  result = i < s.len and s[i] in any
  if result: inc i

func skipDigits(s: string, i: var int): bool =
  while s.skip(i, Digits): result = true

func isNumber(s: string): bool =
  ## Whether all of s is a number of RFC 8259, section 6.
  var i = 0
  discard s.skip(i, {'-'})
  if not s.skip(i, {'0'}) and not s.skipDigits(i): return false
  if s.skip(i, {'.'}) and not s.skipDigits(i): return false
  if s.skip(i, {'e', 'E'}):
    discard s.skip(i, {'+', '-'})
    if not s.skipDigits(i): return false
  i == s.len

func addPair(s: var string, part: string) =
  let eq = part.find('=')
  let value = if eq < 0: "" else: part[eq + 1 .. ^1]
  s.add '"'
  if eq < 0: s.add part.escaped
  else: s.add part[0 ..< eq].escaped
  s.add "\":"
  if value.isNumber: s.add value
  else: s.add '"' & value.escaped & '"'

func pairs*(payload: string): string =
  ## "key=value;key=value" as a JSON object.
  result = "{"
  for part in payload.split(';'):
    if part.len > 0:
      if result.len > 1: result.add ','
      result.addPair part
  result.add '}'

func batch*(payload: string): Option[seq[string]] =
  ## The elements of an array, none if it is none.
  let inner = payload.between('[', ']')
  if inner.isNone: return
  let s = inner.get
  var parts: seq[string]
  if s.trim.len == 0: return some(parts)
  var start, depth, i = 0
  while i <= s.len:
    case (if i < s.len: s[i] else: ',')
    of '"':
      i = s.stringEnd(i)
      if i < 0: return
    of '{', '[': inc depth
    of '}', ']':
      dec depth
      if depth < 0: return
    of ',':
      if depth == 0:
        parts.add s[start ..< i].trim
        if parts[^1].len == 0: return
        start = i + 1
    else: discard
    inc i
  if depth == 0: result = some(parts)

func renamed*(payload: string): Option[string] =
  ## An object whose key "temp" is "temperature" now, none if nothing is to be changed.
  if payload.between('{', '}').isNone: return
  var depth, i = 0
  while i < payload.len:
    case payload[i]
    of '{', '[': inc depth
    of '}', ']': dec depth
    of '"':
      let last = payload.stringEnd(i)
      if last < 0: return
      var next = last + 1
      while next < payload.len and payload[next] in spaces: inc next
      let key = payload[i + 1 ..< last] == "temp" and next < payload.len and payload[next] == ':'
      if depth == 1 and key:
        return some(payload[0 .. i] & "temperature" & payload[last .. ^1])
      i = last
    else: discard
    inc i

func addressed*(payload, clientId: string): Option[string] =
  ## An object with the member "to", none if payload is no object.
  let inner = payload.between('{', '}')
  if inner.isNone: return
  let last = payload.rfind('}')
  let comma = if inner.get.trim.len > 0: "," else: ""
  some(payload[0 ..< last] & comma & "\"to\":\"" & clientId.escaped & '"' & payload[last .. ^1])
