//! What the context of an answer calls the device.

use sidegate_uaf::wire::Reply;

use super::{ContextFault, fault};

/// The longest id and the longest name of a device, in bytes: those of a dispatch target's.
const MAX_DEVICE: usize = 256;

/// Checks what the context of an answer to a registration calls the device, which is kept with its keys.
///
/// # Errors
/// A name that can't be kept. A context that can't be read is no fault here: its answer is refused where it is judged.
pub fn check_device(context: Option<&str>) -> Result<(), ContextFault> {
    let Some(Ok(reply)) = context.map(serde_json::from_str::<Reply>) else { return Ok(()) };
    for (member, text) in [("context.deviceId", reply.device_id), ("context.deviceName", reply.device_name)] {
        let text = text.unwrap_or_default();
        if text.len() > MAX_DEVICE {
            return Err(fault(member, "longer than 256 bytes"));
        }
        if text.chars().any(char::is_control) {
            return Err(fault(member, "has control characters"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_called_by_256_bytes_at_most() {
        for member in ["deviceId", "deviceName"] {
            let check = |text: &str| check_device(Some(&serde_json::json!({member: text}).to_string()));
            assert_eq!(check(&"é".repeat(128)), Ok(()));
            for bad in [&"é".repeat(129), "a\nb", "\u{1b}[2J"] {
                assert_eq!(check(bad).unwrap_err().member, format!("context.{member}"));
            }
        }
        for no_name in [None, Some("{}"), Some(r#"{"deviceId":null}"#), Some(r#"{"deviceId":1}"#), Some("no JSON")] {
            assert_eq!(check_device(no_name), Ok(()));
        }
    }
}
