//! A vendor's meters speak "t=21.5", the cloud speaks {"t":21.5,"by":"m7"}. See ../../example.
const std = @import("std");
const hpmq = @import("hpmq");

comptime {
    hpmq.conversion(@This());
}

pub fn configure(_: hpmq.Bytes) ?[:0]const u8 {
    hpmq.wantInbound("meter/+/up");
    hpmq.wantOutbound("meter/+/down");
    return null;
}

pub fn upstream(m: hpmq.Message, from: hpmq.Context) !hpmq.Outcome {
    const eq = std.mem.indexOfScalar(u8, m.payload, '=') orelse return .keep;
    const json = try std.mem.concat(hpmq.allocator, u8, &.{
        "{",            try quoted(m.payload[0..eq]), ":",
        m.payload[eq + 1 ..], ",\"by\":", try quoted(from.client_id),
        "}",
    });
    if (m.previous()) |last| if (std.mem.eql(u8, last, json)) return .drop; // nothing new
    return .one(m.with(json));
}

pub fn downstream(m: hpmq.Message, _: hpmq.Context) !hpmq.Outcome {
    const set = "{\"set\":";
    const fits = std.mem.startsWith(u8, m.payload, set) and std.mem.endsWith(u8, m.payload, "}");
    if (!fits) return .keep;
    const value = m.payload[set.len .. m.payload.len - 1];
    return .one(m.with(try std.mem.concat(hpmq.allocator, u8, &.{ "set=", value })));
}

/// A JSON string.
fn quoted(s: hpmq.Bytes) !hpmq.Bytes {
    var out: std.ArrayList(u8) = .empty;
    try out.append(hpmq.allocator, '"');
    for (s) |b| switch (b) {
        '"', '\\' => try out.appendSlice(hpmq.allocator, &.{ '\\', b }),
        0...0x1f => try out.print(hpmq.allocator, "\\u{x:0>4}", .{b}),
        else => try out.append(hpmq.allocator, b),
    };
    try out.append(hpmq.allocator, '"');
    return out.items;
}
