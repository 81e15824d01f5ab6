//! Two roles of the policy of hop.c in Rust, by the SDK. The feature chooses which.

#[cfg(feature = "authorizer")]
mod authorizer {
    use hpmq_guest::{Action, Answer, Context, Qos, Rules};

    struct OwnDevice;

    impl Rules for OwnDevice {
        fn authorize(who: &Context, _action: Action, topic: &str, _qos: Qos) -> Answer {
            let own = topic.strip_prefix("devices/").and_then(|t| t.strip_prefix(&*who.client_id));
            match own {
                Some(rest) if rest.starts_with('/') => Answer::ALLOW,
                _ => Answer::DENY,
            }
        }
    }

    hpmq_guest::rules!(OwnDevice);
}

#[cfg(feature = "transformer")]
mod transformer {
    use hpmq_guest::{Context, Conversion, Message, Outcome};

    struct Capitals;

    impl Conversion for Capitals {
        fn upstream(mut message: Message, _from: &Context) -> Outcome {
            message.payload.make_ascii_uppercase();
            message.into()
        }
    }

    hpmq_guest::conversion!(Capitals);
}

/// Answers the third message before, which it has kept as it came: arguments must stay where they are.
#[cfg(feature = "keeper")]
mod keeper {
    use hpmq_guest::{Context, Conversion, Message, Outcome};
    use std::sync::Mutex;

    static KEPT: Mutex<Vec<Message>> = Mutex::new(Vec::new());

    struct Keeper;

    impl Conversion for Keeper {
        fn upstream(message: Message, _from: &Context) -> Outcome {
            let mut kept = KEPT.lock().unwrap();
            kept.insert(0, message);
            if kept.len() > 3 { kept.pop().unwrap().into() } else { Outcome::Drop }
        }
    }

    hpmq_guest::conversion!(Keeper);
}
