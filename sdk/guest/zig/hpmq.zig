//! What a component in Zig that converts messages is written with: hpmq.h of the SDK for C with slices.
//! See README.md for how to build, example/ for one to copy.
//!
//! The root file has upstream and downstream, may have configure, and says so once:
//!
//!     comptime { hpmq.conversion(@This()); }
const std = @import("std");
const c = @cImport(@cInclude("hpmq.h"));

pub const Bytes = []const u8;

/// Memory that holds until the call returns; nothing needs to be freed. What is allocated in
/// configure holds for ever.
pub const allocator: std.mem.Allocator = .{ .ptr = undefined, .vtable = &.{
    .alloc = alloc,
    .resize = std.mem.Allocator.noResize,
    .remap = std.mem.Allocator.noRemap,
    .free = std.mem.Allocator.noFree,
} };

fn alloc(_: *anyopaque, len: usize, alignment: std.mem.Alignment, _: usize) ?[*]u8 {
    const extra = alignment.toByteUnits();
    const at = @intFromPtr(c.hpmq_alloc(len + extra));
    return @ptrFromInt(alignment.forward(at));
}

/// A message on its way. Its bytes are borrowed: they hold until the call returns.
pub const Message = struct {
    topic: Bytes,
    payload: Bytes,
    qos: u8,
    retain: bool,

    /// The last payload that was delivered under the topic on this listener. Who calls it needs the
    /// capability history in the link.
    pub fn previous(m: Message) ?Bytes {
        var last: c.hpmq_bytes = .{};
        return if (c.hpmq_previous(bytes(m.topic), &last)) view(last) else null;
    }

    /// The same message with another payload.
    pub fn with(m: Message, payload: Bytes) Message {
        var changed = m;
        changed.payload = payload;
        return changed;
    }
};

/// Who a message comes from or goes to. What is not known is empty.
pub const Context = struct {
    client_id: Bytes,
    username: Bytes,
    address: Bytes,
    listener: Bytes,
    tenant: Bytes,
};

/// What becomes of a message.
pub const Outcome = union(enum) {
    keep,
    /// A publisher still gets its acknowledgement.
    drop,
    replace: []const Message,

    /// One message in place of the one asked about.
    pub fn one(m: Message) error{OutOfMemory}!Outcome {
        return .{ .replace = try allocator.dupe(Message, &.{m}) };
    }
};

pub const wantInbound = c.hpmq_want_inbound;
pub const wantOutbound = c.hpmq_want_outbound;

/// Makes a component of a type that has
///
///     pub fn upstream(m: Message, from: Context) !Outcome
///     pub fn downstream(m: Message, to: Context) !Outcome
///     pub fn configure(config: Bytes) ?[:0]const u8 // may be left out; null is good
///
/// An error traps: the broker replaces the guest, and the link's fault policy answers.
pub fn conversion(comptime T: type) void {
    const exports = struct {
        fn configure(config: c.hpmq_bytes) callconv(.c) ?[*:0]const u8 {
            return if (T.configure(view(config))) |text| text.ptr else null;
        }
        fn upstream(m: *const c.hpmq_message, who: *const c.hpmq_context) callconv(.c) c_uint {
            return send(T.upstream(message(m), context(who)) catch @trap());
        }
        fn downstream(m: *const c.hpmq_message, who: *const c.hpmq_context) callconv(.c) c_uint {
            return send(T.downstream(message(m), context(who)) catch @trap());
        }
    };
    if (@hasDecl(T, "configure")) @export(&exports.configure, .{ .name = "hpmq_configure" });
    @export(&exports.upstream, .{ .name = "hpmq_upstream" });
    @export(&exports.downstream, .{ .name = "hpmq_downstream" });
}

fn send(o: Outcome) c_uint {
    switch (o) {
        .keep => return c.HPMQ_KEEP,
        .drop => return c.HPMQ_DROP,
        .replace => |list| {
            for (list) |m| c.hpmq_send(.{
                .topic = bytes(m.topic),
                .payload = bytes(m.payload),
                .qos = m.qos,
                .retain = m.retain,
            });
            return c.HPMQ_REPLACE;
        },
    }
}

fn view(b: c.hpmq_bytes) Bytes {
    return if (b.len == 0) "" else b.ptr[0..b.len];
}

fn bytes(s: Bytes) c.hpmq_bytes {
    return .{ .ptr = s.ptr, .len = s.len };
}

fn message(m: *const c.hpmq_message) Message {
    return .{
        .topic = view(m.topic),
        .payload = view(m.payload),
        .qos = m.qos,
        .retain = m.retain,
    };
}

fn context(w: *const c.hpmq_context) Context {
    return .{
        .client_id = view(w.client_id),
        .username = view(w.username),
        .address = view(w.address),
        .listener = view(w.listener),
        .tenant = view(w.tenant),
    };
}
