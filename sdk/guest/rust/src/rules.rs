use std::marker::PhantomData;

use crate::authorizer::exports::hpmq::broker::{authorizer, lifecycle};
use crate::authorizer::hpmq::broker::config;
use crate::{Context, Interest, Qos};

pub use authorizer::Action;

/// How far an answer holds, so that the broker need not ask again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// This one question.
    Once,
    /// This client, this action, this topic or filter.
    Topic,
    /// This client and this action, whatever the topic.
    Action,
}

/// What [`Rules::authorize`] answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer(u32);

impl Answer {
    /// It may.
    pub const ALLOW: Answer = Answer(0);
    /// The next component of the chain is asked; the end of the chain denies.
    pub const NEXT: Answer = Answer(1);
    /// It may not: not authorized.
    pub const DENY: Answer = Answer(0x87);

    /// It may not, for an MQTT 5 reason code of 0x80 or more.
    pub const fn deny(reason: u8) -> Self {
        Answer(if reason < 0x80 { 0x87 } else { reason as u32 })
    }

    /// Holds that far and so long; 0 seconds: as long as the component is linked.
    pub const fn holds(self, scope: Scope, seconds: u32) -> Self {
        Answer(self.0 & 0xff | (scope as u32) << 8 | seconds << 10)
    }
}

/// What judges; see [`rules!`](crate::rules).
pub trait Rules {
    /// Is called first, with the configuration of the link as JSON text. An error is a text for the
    /// operator: the component is not linked.
    fn configure(config: &str) -> Result<Interest, String> {
        let _ = config;
        Ok(Interest::new(&["#"], &[]))
    }

    /// Is asked whether a client may do something to a topic, or subscribe to a filter.
    fn authorize(who: &Context, action: Action, topic: &str, qos: Qos) -> Answer;
}

/// The role around [`Rules`].
#[doc(hidden)]
pub struct Judging<T>(PhantomData<T>);

impl<T: Rules> lifecycle::Guest for Judging<T> {
    fn configure() -> Result<lifecycle::Interest, String> {
        let Interest { inbound, outbound } = T::configure(&config::json())?;
        Ok(lifecycle::Interest { inbound, outbound })
    }
}

impl<T: Rules> authorizer::Guest for Judging<T> {
    fn authorize(who: Context, action: Action, topic: String, qos: Qos) -> u32 {
        T::authorize(&who, action, &topic, qos).0
    }
}

/// Makes the component of a type that is [`Rules`]. Once in a crate.
#[macro_export]
macro_rules! rules {
    ($type:ident) => {
        type HpmqRules = $crate::Judging<$type>;
        $crate::authorizer::export!(HpmqRules with_types_in $crate::authorizer);
    };
}
