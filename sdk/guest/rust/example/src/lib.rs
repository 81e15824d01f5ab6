//! A vendor's meters speak "t=21.5", the cloud speaks {"t":21.5,"by":"m7"}. See ../../example.

use hpmq_guest::{Context, Conversion, Interest, Message, Outcome};

struct Vendor;

hpmq_guest::conversion!(Vendor);

impl Conversion for Vendor {
    fn configure(_config: &str) -> Result<Interest, String> {
        Ok(Interest::new(&["meter/+/up"], &["meter/+/down"]))
    }

    fn upstream(message: Message, from: &Context) -> Outcome {
        let Some(eq) = message.payload.iter().position(|b| *b == b'=') else {
            return Outcome::Keep;
        };
        let mut json = b"{".to_vec();
        json.extend(quoted(&message.payload[..eq]));
        json.push(b':');
        json.extend(&message.payload[eq + 1..]);
        json.extend(b",\"by\":");
        json.extend(quoted(from.client_id.as_bytes()));
        json.push(b'}');
        if message.previous().as_ref() == Some(&json) {
            return Outcome::Drop; // nothing new
        }
        message.with_payload(json).into()
    }

    fn downstream(message: Message, _to: &Context) -> Outcome {
        let value = message.payload.strip_prefix(b"{\"set\":").and_then(|s| s.strip_suffix(b"}"));
        match value.map(|value| [b"set=", value].concat()) {
            Some(text) => message.with_payload(text).into(),
            None => Outcome::Keep,
        }
    }
}

/// A JSON string.
fn quoted(s: &[u8]) -> Vec<u8> {
    let mut out = vec![b'"'];
    for &b in s {
        match b {
            b'"' | b'\\' => out.extend([b'\\', b]),
            0..0x20 => out.extend(format!("\\u{b:04x}").bytes()),
            _ => out.push(b),
        }
    }
    out.push(b'"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_escaped() {
        assert_eq!(quoted(b"a\"b\\c\x01"), b"\"a\\\"b\\\\c\\u0001\"");
    }
}
