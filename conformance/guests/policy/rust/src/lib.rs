//! The policy of ../README.md as a component in Rust, with the bindings that wit-bindgen makes.

mod policy;

wit_bindgen::generate!({ world: "policy-component", path: "../../../../wit", generate_all });

use exports::hpmq::broker::authorizer::{self, Action, Qos};
use exports::hpmq::broker::lifecycle::{self, Interest};
use exports::hpmq::broker::transformer::{self, Identity, Message, Outcome};

struct Policy;

export!(Policy);

impl lifecycle::Guest for Policy {
    fn configure() -> Result<Interest, String> {
        if hpmq::broker::config::json().contains("\"fail\"") {
            return Err("told to fail".into());
        }
        Ok(Interest { inbound: vec!["#".into()], outbound: vec!["#".into()] })
    }
}

const NOT_AUTHORIZED: u32 = 0x87;
const QUOTA_EXCEEDED: u32 = 0x97;
const ALLOW: u32 = 0;
const NEXT: u32 = 1;
const ONCE: u32 = 0;
const TOPIC: u32 = 1;
const ACTION: u32 = 2;

fn answer(decision: u32, scope: u32, seconds: u32) -> u32 {
    decision | scope << 8 | seconds << 10
}

/// Whether topic starts with "devices/CID/".
fn own(topic: &str, client_id: &str) -> bool {
    topic
        .strip_prefix("devices/")
        .and_then(|rest| rest.strip_prefix(client_id))
        .is_some_and(|rest| rest.starts_with('/'))
}

impl authorizer::Guest for Policy {
    fn authorize(who: Identity, action: Action, topic: String, qos: Qos) -> u32 {
        if who.username == "admin" {
            return answer(ALLOW, ACTION, 300);
        }
        if topic.starts_with('$') {
            return answer(NOT_AUTHORIZED, ONCE, 0);
        }
        if who.client_id.is_empty() || who.client_id.contains(['/', '+', '#']) {
            return answer(NOT_AUTHORIZED, ACTION, 0);
        }
        if action == Action::Will && qos == Qos::ExactlyOnce {
            return answer(QUOTA_EXCEEDED, ONCE, 0);
        }
        let own = own(&topic, &who.client_id);
        match action {
            Action::Publish | Action::Will if own => answer(ALLOW, TOPIC, 60),
            Action::Subscribe if matches!(topic.split('/').next(), Some("#" | "+")) => {
                answer(NOT_AUTHORIZED, TOPIC, 0)
            }
            Action::Subscribe if own || topic.starts_with("public/") => answer(ALLOW, TOPIC, 60),
            Action::Deliver => answer(ALLOW, ACTION, 0),
            _ if topic.starts_with("devices/") => answer(NOT_AUTHORIZED, TOPIC, 60),
            _ => answer(NEXT, ONCE, 0),
        }
    }
}

impl transformer::Guest for Policy {
    fn upstream(_who: Identity, msg: Message) -> Outcome {
        if msg.topic.ends_with("/secret") {
            return Outcome::Drop;
        }
        if let Some(name) = msg.topic.strip_suffix("/raw") {
            let topic = format!("{name}/json");
            return replaced(Message { topic, payload: policy::pairs(&msg.payload), ..msg });
        }
        if let Some(name) = msg.topic.strip_suffix("/batch").filter(|name| !name.is_empty()) {
            return match policy::batch(&msg.payload) {
                None => Outcome::Keep,
                Some(parts) if parts.is_empty() => Outcome::Drop,
                Some(parts) => Outcome::Replace(
                    parts
                        .iter()
                        .map(|part| Message {
                            topic: name.into(),
                            payload: part.to_vec(),
                            qos: msg.qos,
                            retain: false,
                        })
                        .collect(),
                ),
            };
        }
        match policy::renamed(&msg.payload) {
            Some(payload) => replaced(Message { payload, ..msg }),
            None => Outcome::Keep,
        }
    }

    fn downstream(who: Identity, msg: Message) -> Outcome {
        match policy::addressed(&msg.payload, &who.client_id) {
            Some(payload) => replaced(Message { payload, ..msg }),
            None => Outcome::Keep,
        }
    }
}

fn replaced(msg: Message) -> Outcome {
    Outcome::Replace(vec![msg])
}
