//! Components of HPMQ in Rust.
//!
//! A component that converts a vendor's messages is two functions: [`Conversion::upstream`] (device
//! to cloud) and [`Conversion::downstream`] (cloud to device).
//!
//! ```
//! use hpmq_guest::{Context, Conversion, Message, Outcome};
//!
//! struct Vendor;
//!
//! impl Conversion for Vendor {
//!     fn upstream(message: Message, _from: &Context) -> Outcome {
//!         if message.previous().as_ref() == Some(&message.payload) {
//!             return Outcome::Drop; // nothing new
//!         }
//!         Outcome::Keep
//!     }
//! }
//!
//! hpmq_guest::conversion!(Vendor);
//! ```
//!
//! A component that judges is one function, [`Rules::authorize`].
//!
//! ```
//! use hpmq_guest::{Action, Answer, Context, Qos, Rules, Scope};
//!
//! struct OwnTopics;
//!
//! impl Rules for OwnTopics {
//!     fn authorize(who: &Context, _action: Action, topic: &str, _qos: Qos) -> Answer {
//!         match topic.split('/').next() {
//!             Some(level) if level == who.client_id => Answer::ALLOW.holds(Scope::Topic, 60),
//!             _ => Answer::DENY,
//!         }
//!     }
//! }
//!
//! hpmq_guest::rules!(OwnTopics);
//! ```
//!
//! Any other role is written against the contracts themselves, by `wit_bindgen::generate!` with the
//! folder `wit/` of HPMQ.
//!
//! Functions may keep state in statics: there is one thread. What must survive a swap of the
//! component belongs in `kv`.

/// The contract of transformers as wit-bindgen made it of `wit/`, by generate.sh.
#[allow(clippy::all, missing_docs, rustdoc::all)]
#[rustfmt::skip]
#[path = "generated/transformer.rs"]
pub mod transformer;

/// The contract of authorizers as wit-bindgen made it of `wit/`, by generate.sh.
#[allow(clippy::all, missing_docs, rustdoc::all)]
#[rustfmt::skip]
#[path = "generated/authorizer.rs"]
pub mod authorizer;

#[cfg(any(test, all(feature = "block", target_family = "wasm")))]
mod block;
mod conversion;
mod rules;

pub use conversion::{Conversion, Converting};
pub use rules::{Action, Answer, Judging, Rules, Scope};

/// A message on its way: topic, payload, QoS, retain.
pub use transformer::exports::hpmq::broker::transformer::Message;
/// Who a message comes from or goes to, with the names of `wit/types.wit`. What is not known is
/// empty.
pub use transformer::exports::hpmq::broker::transformer::Identity as Context;
/// What becomes of a message: kept, dropped, or replaced by others.
pub use transformer::exports::hpmq::broker::transformer::Outcome;
/// Quality of service.
pub use transformer::hpmq::broker::types::Qos;

/// The topic filters that a component wants to be asked about, in and out.
pub struct Interest {
    /// For messages on their way in, subscriptions and wills.
    pub inbound: Vec<String>,
    /// For messages on their way out.
    pub outbound: Vec<String>,
}

impl Interest {
    /// Those filters.
    pub fn new(inbound: &[&str], outbound: &[&str]) -> Self {
        let own = |list: &[&str]| list.iter().map(|s| s.to_string()).collect();
        Interest { inbound: own(inbound), outbound: own(outbound) }
    }
}

impl Default for Interest {
    /// Everything.
    fn default() -> Self {
        Interest::new(&["#"], &["#"])
    }
}
