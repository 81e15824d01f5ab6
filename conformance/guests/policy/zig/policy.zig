//! The policy of ../README.md as a component in Zig, with the bindings for C that wit-bindgen makes.
//! What an export is given is its own to free; what it answers the bindings free, so both are the
//! C allocator's. What is needed in between is an arena's.
const std = @import("std");
const rules = @import("rules.zig");
const c = @cImport(@cInclude("policy_component.h"));

// c_allocator would put a header before what it gives, and free could not free it.
const gpa = std.heap.raw_c_allocator;
const Bytes = []const u8;
const String = c.policy_component_string_t;
const Identity = c.exports_hpmq_broker_authorizer_identity_t;
const Message = c.exports_hpmq_broker_transformer_message_t;
const Outcome = c.exports_hpmq_broker_transformer_outcome_t;

fn view(s: anytype) Bytes {
    return if (s.len == 0) "" else s.ptr[0..s.len];
}

/// A copy as a string or list of the bindings.
fn copy(comptime T: type, s: Bytes) T {
    if (s.len == 0) return .{};
    const p = gpa.dupe(u8, s) catch @panic("memory");
    return .{ .ptr = p.ptr, .len = p.len };
}

// lifecycle

fn everything() c.policy_component_list_string_t {
    const list = gpa.alloc(String, 1) catch @panic("memory");
    list[0] = copy(String, "#");
    return .{ .ptr = list.ptr, .len = list.len };
}

export fn exports_hpmq_broker_lifecycle_configure(
    ret: *c.exports_hpmq_broker_lifecycle_interest_t,
    err: *String,
) bool {
    var json: String = .{};
    c.hpmq_broker_config_json(&json);
    defer c.policy_component_string_free(&json);
    if (std.mem.indexOf(u8, view(json), "\"fail\"") != null) {
        err.* = copy(String, "told to fail");
        return false;
    }
    ret.* = .{ .inbound = everything(), .outbound = everything() };
    return true;
}

// authorizer

const allow = 0;
const next = 1;
const not_authorized = 0x87;
const quota_exceeded = 0x97;
const Scope = enum(u32) { once, topic, action };

fn answer(decision: u32, scope: Scope, seconds: u32) u32 {
    return decision | @intFromEnum(scope) << 8 | seconds << 10;
}

const Action = enum(u8) { publish, subscribe, will, deliver };

fn judge(client_id: Bytes, username: Bytes, action: Action, topic: Bytes, qos: u8) u32 {
    const starts = std.mem.startsWith;
    if (std.mem.eql(u8, username, "admin")) return answer(allow, .action, 300);
    if (starts(u8, topic, "$")) return answer(not_authorized, .once, 0);
    if (client_id.len == 0 or std.mem.indexOfAny(u8, client_id, "/+#") != null)
        return answer(not_authorized, .action, 0);
    switch (action) {
        .publish => {},
        .will => if (qos == 2) return answer(quota_exceeded, .once, 0),
        .deliver => return answer(allow, .action, 0),
        .subscribe => {
            const level = std.mem.sliceTo(topic, '/');
            if (level.len == 1 and (level[0] == '#' or level[0] == '+'))
                return answer(not_authorized, .topic, 0);
            if (starts(u8, topic, "public/")) return answer(allow, .topic, 60);
        },
    }
    if (!starts(u8, topic, "devices/")) return answer(next, .once, 0);
    const rest = topic["devices/".len..];
    const own = starts(u8, rest, client_id) and starts(u8, rest[client_id.len..], "/");
    return answer(if (own) allow else not_authorized, .topic, 60);
}

export fn exports_hpmq_broker_authorizer_authorize(
    who: *Identity,
    action: u8,
    topic: *String,
    qos: u8,
) u32 {
    defer c.exports_hpmq_broker_authorizer_identity_free(who);
    defer c.policy_component_string_free(topic);
    return judge(view(who.client_id), view(who.username), @enumFromInt(action), view(topic.*), qos);
}

// transformer

fn made(topic: Bytes, payload: Bytes, qos: u8, retain: bool) Message {
    return .{
        .topic = copy(String, topic),
        .payload = copy(c.policy_component_list_u8_t, payload),
        .qos = qos,
        .retain = retain,
    };
}

const keep: Outcome = .{ .tag = c.EXPORTS_HPMQ_BROKER_TRANSFORMER_OUTCOME_KEEP };
const drop: Outcome = .{ .tag = c.EXPORTS_HPMQ_BROKER_TRANSFORMER_OUTCOME_DROP };

fn replace(list: []const Message) !Outcome {
    const p = try gpa.dupe(Message, list);
    return .{
        .tag = c.EXPORTS_HPMQ_BROKER_TRANSFORMER_OUTCOME_REPLACE,
        .val = .{ .replace = .{ .ptr = p.ptr, .len = p.len } },
    };
}

fn without(topic: Bytes, suffix: Bytes) ?Bytes {
    return if (std.mem.endsWith(u8, topic, suffix)) topic[0 .. topic.len - suffix.len] else null;
}

fn upstream(arena: std.mem.Allocator, m: *const Message) !Outcome {
    const topic = view(m.topic);
    const payload = view(m.payload);
    if (without(topic, "/secret") != null) return drop;
    if (without(topic, "/raw")) |name| {
        const json = try std.mem.concat(arena, u8, &.{ name, "/json" });
        return replace(&.{made(json, try rules.pairs(arena, payload), m.qos, m.retain)});
    }
    if (without(topic, "/batch")) |name| if (name.len > 0) {
        const parts = try rules.batch(arena, payload) orelse return keep;
        if (parts.len == 0) return drop;
        const list = try arena.alloc(Message, parts.len);
        for (list, parts) |*out, part| out.* = made(name, part, m.qos, false);
        return replace(list);
    };
    const changed = try rules.renamed(arena, payload) orelse return keep;
    return replace(&.{made(topic, changed, m.qos, m.retain)});
}

fn downstream(arena: std.mem.Allocator, who: *const Identity, m: *const Message) !Outcome {
    const changed = try rules.addressed(arena, view(m.payload), view(who.client_id)) orelse
        return keep;
    return replace(&.{made(view(m.topic), changed, m.qos, m.retain)});
}

export fn exports_hpmq_broker_transformer_upstream(who: *Identity, m: *Message, ret: *Outcome) void {
    var arena = std.heap.ArenaAllocator.init(gpa);
    defer arena.deinit();
    ret.* = upstream(arena.allocator(), m) catch @panic("memory");
    c.exports_hpmq_broker_transformer_identity_free(who);
    c.exports_hpmq_broker_transformer_message_free(m);
}

export fn exports_hpmq_broker_transformer_downstream(who: *Identity, m: *Message, ret: *Outcome) void {
    var arena = std.heap.ArenaAllocator.init(gpa);
    defer arena.deinit();
    ret.* = downstream(arena.allocator(), who, m) catch @panic("memory");
    c.exports_hpmq_broker_transformer_identity_free(who);
    c.exports_hpmq_broker_transformer_message_free(m);
}

/// What @panic calls: no words, no stack trace, no WASI.
pub const panic = std.debug.no_panic;
