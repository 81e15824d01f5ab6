/// The words of policy_component.h that the policy needs. LDC 1.30 cannot read the header itself.
module bindings;

extern (C):
@nogc nothrow:

struct String
{
    ubyte* ptr;
    size_t len;
}

struct Payload
{
    ubyte* ptr;
    size_t len;
}

struct Strings
{
    String* ptr;
    size_t len;
}

struct Interest
{
    Strings inbound, outbound;
}

struct Identity
{
    String clientId, username, address, listener, tenant;
}

struct Message
{
    String topic;
    Payload payload;
    ubyte qos;
    bool retain;
}

enum Action : ubyte
{
    publish,
    subscribe,
    will,
    deliver
}

struct Outcome
{
    enum Tag : ubyte
    {
        keep,
        drop,
        replace
    }

    Tag tag;
    Message* list;
    size_t len;
}

void hpmq_broker_config_json(String* ret);
void policy_component_string_free(String* s);
void exports_hpmq_broker_authorizer_identity_free(Identity* who);
void exports_hpmq_broker_transformer_identity_free(Identity* who);
void exports_hpmq_broker_transformer_message_free(Message* m);

// Of the C library, whose module in D's runtime knows no wasm.
void abort();
void* malloc(size_t size);
void* calloc(size_t n, size_t size);
void* realloc(void* old, size_t size);
