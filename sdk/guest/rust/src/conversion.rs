use std::marker::PhantomData;

use crate::transformer::exports::hpmq::broker::{lifecycle, transformer};
use crate::transformer::hpmq::broker::{config, history};
use crate::{Context, Interest, Message, Outcome};

/// What converts messages; see [`conversion!`](crate::conversion).
pub trait Conversion {
    /// Is called first, with the configuration of the link as JSON text. An error is a text for the
    /// operator: the component is not linked.
    fn configure(config: &str) -> Result<Interest, String> {
        let _ = config;
        Ok(Interest::default())
    }

    /// Is asked about each message from a device to the broker.
    fn upstream(message: Message, from: &Context) -> Outcome {
        let _ = (message, from);
        Outcome::Keep
    }

    /// Is asked about each message from the broker to a device.
    fn downstream(message: Message, to: &Context) -> Outcome {
        let _ = (message, to);
        Outcome::Keep
    }
}

impl Message {
    /// The last payload that was delivered under this topic on this listener. Who calls it needs the
    /// capability `history` in the link.
    pub fn previous(&self) -> Option<Vec<u8>> {
        history::last(&self.topic)
    }

    /// The same message with another payload.
    pub fn with_payload(self, payload: impl Into<Vec<u8>>) -> Self {
        Message { payload: payload.into(), ..self }
    }
}

impl From<Message> for Outcome {
    /// One message in place of the one asked about.
    fn from(message: Message) -> Self {
        Outcome::Replace(vec![message])
    }
}

/// The role around a [`Conversion`].
#[doc(hidden)]
pub struct Converting<T>(PhantomData<T>);

impl<T: Conversion> lifecycle::Guest for Converting<T> {
    fn configure() -> Result<lifecycle::Interest, String> {
        let Interest { inbound, outbound } = T::configure(&config::json())?;
        Ok(lifecycle::Interest { inbound, outbound })
    }
}

impl<T: Conversion> transformer::Guest for Converting<T> {
    fn upstream(who: Context, msg: Message) -> Outcome {
        T::upstream(msg, &who)
    }

    fn downstream(who: Context, msg: Message) -> Outcome {
        T::downstream(msg, &who)
    }
}

/// Makes the component of a type that is a [`Conversion`]. Once in a crate.
#[macro_export]
macro_rules! conversion {
    ($type:ident) => {
        type HpmqConversion = $crate::Converting<$type>;
        $crate::transformer::export!(HpmqConversion with_types_in $crate::transformer);
    };
}
