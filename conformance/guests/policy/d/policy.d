/// The policy of ../README.md as a component in D, with the bindings for C that wit-bindgen makes,
/// whose words bindings.d repeats. What an export is given is its own to free; what it answers the
/// bindings free.
module policy;

import bindings;
import rules;

@nogc nothrow:

private Bytes view(ref const String s)
{
    return s.ptr[0 .. s.len];
}

private Bytes view(ref const Payload s)
{
    return s.ptr[0 .. s.len];
}

private T copy(T)(Bytes a, Bytes b = null)
{
    Buffer out_;
    if (a.length)
        out_.put(a);
    if (b.length)
        out_.put(b);
    return T(out_.ptr, out_.len);
}

// lifecycle

private Strings everything()
{
    auto list = cast(String*) malloc(String.sizeof);
    if (list is null)
        abort();
    *list = copy!String(cast(Bytes) "#");
    return Strings(list, 1);
}

extern (C) bool exports_hpmq_broker_lifecycle_configure(Interest* ret, String* err)
{
    String json;
    hpmq_broker_config_json(&json);
    bool failed;
    foreach (i; 0 .. json.len)
        failed |= startsWith(view(json)[i .. $], `"fail"`);
    policy_component_string_free(&json);
    if (failed)
        *err = copy!String(cast(Bytes) "told to fail");
    else
        *ret = Interest(everything(), everything());
    return !failed;
}

// authorizer

private enum : uint
{
    allow = 0,
    next = 1,
    notAuthorized = 0x87,
    quotaExceeded = 0x97
}

private enum Scope : uint
{
    once,
    topic,
    action
}

private uint answer(uint decision, Scope how, uint seconds)
{
    return decision | how << 8 | seconds << 10;
}

private uint judge(ref const Identity who, Action action, Bytes topic, ubyte qos)
{
    const clientId = view(who.clientId);
    if (view(who.username) == cast(Bytes) "admin")
        return answer(allow, Scope.action, 300);
    if (startsWith(topic, "$"))
        return answer(notAuthorized, Scope.once, 0);
    bool bad = !clientId.length;
    foreach (c; clientId)
        bad |= c == '/' || c == '+' || c == '#';
    if (bad)
        return answer(notAuthorized, Scope.action, 0);
    if (action == Action.will && qos == 2)
        return answer(quotaExceeded, Scope.once, 0);
    if (action == Action.deliver)
        return answer(allow, Scope.action, 0);
    if (action == Action.subscribe)
    {
        const level = topic[0 .. indexOf(topic, '/')];
        if (level == cast(Bytes) "#" || level == cast(Bytes) "+")
            return answer(notAuthorized, Scope.topic, 0);
        if (startsWith(topic, "public/"))
            return answer(allow, Scope.topic, 60);
    }
    if (!startsWith(topic, "devices/"))
        return answer(next, Scope.once, 0);
    const rest = topic["devices/".length .. $];
    const own = startsWith(rest, clientId) && startsWith(rest[clientId.length .. $], "/");
    return answer(own ? allow : notAuthorized, Scope.topic, 60);
}

extern (C) uint exports_hpmq_broker_authorizer_authorize(Identity* who, ubyte action,
        String* topic, ubyte qos)
{
    const verdict = judge(*who, cast(Action) action, view(*topic), qos);
    exports_hpmq_broker_authorizer_identity_free(who);
    policy_component_string_free(topic);
    return verdict;
}

// transformer

private Message* replace(ref Outcome ret, size_t n)
{
    ret.tag = Outcome.Tag.replace;
    ret.list = cast(Message*) calloc(n, Message.sizeof);
    ret.len = n;
    if (ret.list is null)
        abort();
    return ret.list;
}

/// Answers one message; payload is malloc's.
private void replaceOne(ref Outcome ret, String topic, ubyte[] payload, ref const Message m)
{
    *replace(ret, 1) = Message(topic, Payload(payload.ptr, payload.length), m.qos, m.retain);
}

private void takeApart(ref Outcome ret, Bytes topic, ref const Message m)
{
    const n = batch(view(m.payload), (i, element) {});
    if (n == 0)
        ret.tag = Outcome.Tag.drop;
    if (n <= 0)
        return;
    auto list = replace(ret, n);
    batch(view(m.payload), (i, element) {
        list[i] = Message(copy!String(topic), copy!Payload(element), m.qos, false);
    });
}

extern (C) void exports_hpmq_broker_transformer_upstream(Identity* who, Message* m, Outcome* ret)
{
    const topic = view(m.topic), payload = view(m.payload);
    ret.tag = Outcome.Tag.keep;
    if (endsWith(topic, "/secret"))
        ret.tag = Outcome.Tag.drop;
    else if (endsWith(topic, "/raw"))
        replaceOne(*ret, copy!String(topic[0 .. $ - "/raw".length], cast(Bytes) "/json"),
                pairs(payload), *m);
    else if (endsWith(topic, "/batch") && topic.length > "/batch".length)
        takeApart(*ret, topic[0 .. $ - "/batch".length], *m);
    else if (auto changed = renamed(payload))
        replaceOne(*ret, copy!String(topic), changed, *m);
    exports_hpmq_broker_transformer_identity_free(who);
    exports_hpmq_broker_transformer_message_free(m);
}

extern (C) void exports_hpmq_broker_transformer_downstream(Identity* who, Message* m, Outcome* ret)
{
    ret.tag = Outcome.Tag.keep;
    if (auto changed = addressed(view(m.payload), view(who.clientId)))
        replaceOne(*ret, copy!String(view(m.topic)), changed, *m);
    exports_hpmq_broker_transformer_identity_free(who);
    exports_hpmq_broker_transformer_message_free(m);
}

/// What an index out of bounds calls without D's runtime.
pragma(mangle, "__assert") extern (C) void outOfBounds(const char*, const char*, int)
{
    abort();
}
