//! The rules about payloads. They know bytes, no contract. What they make is the allocator's.
const std = @import("std");
const Allocator = std.mem.Allocator;
const Bytes = []const u8;
const List = std.ArrayList(u8);
const spaces = " \t\n\r";

fn trim(s: Bytes) Bytes {
    return std.mem.trim(u8, s, spaces);
}

/// What stands between the brackets of a trimmed text, null if it has not both.
fn between(text: Bytes, open: u8, close: u8) ?Bytes {
    const s = trim(text);
    if (s.len < 2 or s[0] != open or s[s.len - 1] != close) return null;
    return s[1 .. s.len - 1];
}

/// The index of the quote that ends the string which begins at `from`.
fn stringEnd(s: Bytes, from: usize) ?usize {
    var i = from + 1;
    while (i < s.len) : (i += 1) {
        if (s[i] == '"') return i;
        if (s[i] == '\\') i += 1;
    }
    return null;
}

fn escape(out: *List, gpa: Allocator, s: Bytes) !void {
    const digits = "0123456789abcdef";
    for (s) |c| switch (c) {
        '"', '\\' => try out.appendSlice(gpa, &.{ '\\', c }),
        0...0x1f => try out.appendSlice(gpa, &.{ '\\', 'u', '0', '0', digits[c >> 4], digits[c & 15] }),
        else => try out.append(gpa, c),
    };
}

/// Whether all of s is a number of RFC 8259, section 6.
fn isNumber(text: Bytes) bool {
    var s = Cursor{ .rest = text };
    _ = s.skip("-");
    if (!s.skip("0") and !s.digits()) return false;
    if (s.skip(".") and !s.digits()) return false;
    if (s.skip("eE")) {
        _ = s.skip("+-");
        if (!s.digits()) return false;
    }
    return s.rest.len == 0;
}

const Cursor = struct {
    rest: Bytes,

    fn skip(c: *Cursor, any: Bytes) bool {
        if (c.rest.len == 0 or std.mem.indexOfScalar(u8, any, c.rest[0]) == null) return false;
        c.rest = c.rest[1..];
        return true;
    }

    fn digits(c: *Cursor) bool {
        const before = c.rest.len;
        while (c.skip("0123456789")) {}
        return c.rest.len < before;
    }
};

fn pair(out: *List, gpa: Allocator, part: Bytes) !void {
    const eq = std.mem.indexOfScalar(u8, part, '=');
    const value = if (eq) |i| part[i + 1 ..] else "";
    if (out.items.len > 1) try out.append(gpa, ',');
    try out.append(gpa, '"');
    try escape(out, gpa, part[0 .. eq orelse part.len]);
    try out.appendSlice(gpa, "\":");
    if (isNumber(value)) return out.appendSlice(gpa, value);
    try out.append(gpa, '"');
    try escape(out, gpa, value);
    try out.append(gpa, '"');
}

/// "key=value;key=value" as a JSON object.
pub fn pairs(gpa: Allocator, payload: Bytes) !Bytes {
    var out: List = .empty;
    try out.append(gpa, '{');
    var parts = std.mem.tokenizeScalar(u8, payload, ';');
    while (parts.next()) |part| try pair(&out, gpa, part);
    try out.append(gpa, '}');
    return out.items;
}

/// The elements of an array, null if it is none.
pub fn batch(gpa: Allocator, payload: Bytes) !?[]Bytes {
    const s = between(payload, '[', ']') orelse return null;
    var parts: std.ArrayList(Bytes) = .empty;
    if (trim(s).len == 0) return parts.items;
    var start: usize = 0;
    var depth: usize = 0;
    var i: usize = 0;
    while (i <= s.len) : (i += 1) {
        switch (if (i < s.len) s[i] else ',') {
            '"' => i = stringEnd(s, i) orelse return null,
            '{', '[' => depth += 1,
            '}', ']' => depth = std.math.sub(usize, depth, 1) catch return null,
            ',' => if (depth == 0) {
                const part = trim(s[start..i]);
                if (part.len == 0) return null;
                try parts.append(gpa, part);
                start = i + 1;
            },
            else => {},
        }
    }
    return if (depth == 0) parts.items else null;
}

/// An object whose key "temp" is "temperature" now, null if nothing is to be changed.
pub fn renamed(gpa: Allocator, payload: Bytes) !?Bytes {
    _ = between(payload, '{', '}') orelse return null;
    var depth: isize = 0;
    var i: usize = 0;
    while (i < payload.len) : (i += 1) switch (payload[i]) {
        '{', '[' => depth += 1,
        '}', ']' => depth -= 1,
        '"' => {
            const end = stringEnd(payload, i) orelse return null;
            const next = std.mem.indexOfNonePos(u8, payload, end + 1, spaces);
            const colon = if (next) |n| payload[n] == ':' else false;
            if (depth == 1 and colon and std.mem.eql(u8, payload[i + 1 .. end], "temp")) {
                return try std.mem.concat(gpa, u8, &.{ payload[0 .. i + 1], "temperature", payload[end..] });
            }
            i = end;
        },
        else => {},
    };
    return null;
}

/// An object with the member "to", null if payload is no object.
pub fn addressed(gpa: Allocator, payload: Bytes, client_id: Bytes) !?Bytes {
    const inner = between(payload, '{', '}') orelse return null;
    const last = std.mem.lastIndexOfScalar(u8, payload, '}').?;
    var out: List = .empty;
    try out.appendSlice(gpa, payload[0..last]);
    if (trim(inner).len > 0) try out.append(gpa, ',');
    try out.appendSlice(gpa, "\"to\":\"");
    try escape(&out, gpa, client_id);
    try out.append(gpa, '"');
    try out.appendSlice(gpa, payload[last..]);
    return out.items;
}
