//! W3C Trace Context (level 1, <https://www.w3.org/TR/trace-context/>): by which a request is found again in what others
//! record of it, before the gateway and behind it.

use http::{HeaderMap, HeaderName, HeaderValue};

/// Names the trace, and who is asking in it.
pub const PARENT: HeaderName = HeaderName::from_static("traceparent");
/// What tracing systems keep of it for themselves.
pub const STATE: HeaderName = HeaderName::from_static("tracestate");

/// Most members of a `tracestate`, and most bytes of all that is passed on (3.3.1).
const MEMBERS: usize = 32;
const STATE_BYTES: usize = 512;
/// Most bytes of a member's key, and of its value (3.3.1.3).
const MEMBER_BYTES: usize = 256;
/// The flags that mean something: sampled, and of level 2 random. Others are zero (3.2.2.5).
const FLAGS: u8 = 0b11;

/// The trace that a request belongs to, and the gateway's own place in it. A client's is gone on with, whoever it is: all
/// that comes of it is which lines are found together.
#[derive(Debug, Clone)]
pub struct Trace {
    id: String,
    span: String,
    flags: u8,
    state: Option<HeaderValue>,
}

impl Trace {
    /// The trace that these headers name; a new one where they name none, or not in the way of version 00. A new one is not
    /// sampled: nothing but lines of the log is recorded here (3.2.2.5.1).
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Self {
        let span = new_id().split_off(16);
        match named(headers) {
            Some((id, flags)) => Self { id, span, flags, state: state(headers) },
            None => Self { id: new_id(), span, flags: 0, state: None },
        }
    }

    /// The trace's id, 32 digits in lower-case hex.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What a server behind gets as `traceparent`.
    #[must_use]
    pub fn parent(&self) -> String {
        format!("00-{}-{}-{:02x}", self.id, self.span, self.flags)
    }

    /// What a server behind gets as `tracestate`, if anything.
    #[must_use]
    pub fn state(&self) -> Option<&HeaderValue> {
        self.state.as_ref()
    }
}

/// 32 digits, at random, neither half of them all zero.
fn new_id() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

/// The id and the flags of the one trace that is named.
fn named(headers: &HeaderMap) -> Option<(String, u8)> {
    let mut parents = headers.get_all(PARENT).iter();
    let (Some(parent), None) = (parents.next(), parents.next()) else { return None };
    let mut parts = parent.to_str().ok()?.split('-');
    let [version, id, span, flags] = std::array::from_fn(|_| parts.next().unwrap_or_default());
    let fits = version == "00" && is_id(id, 32) && is_id(span, 16) && is_hex(flags, 2) && parts.next().is_none();
    fits.then_some(id.to_owned()).zip(u8::from_str_radix(flags, 16).ok().map(|flags| flags & FLAGS))
}

fn is_id(text: &str, digits: usize) -> bool {
    is_hex(text, digits) && text.bytes().any(|byte| byte != b'0')
}

fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// The whole list in one field; `None` if there is none, or one that says nothing for being too long or badly formed.
fn state(headers: &HeaderMap) -> Option<HeaderValue> {
    let mut members: Vec<(&str, &str)> = Vec::new();
    let mut whole = String::new();
    for field in headers.get_all(STATE) {
        let texts = field.to_str().ok()?.split(',').map(|text| text.trim_matches([' ', '\t']));
        for text in texts.filter(|text| !text.is_empty()) {
            let (key, value) = text.split_once('=').filter(|(key, value)| is_key(key) && is_value(value))?;
            let comma = if members.is_empty() { "" } else { "," };
            whole.extend([comma, text]);
            if members.len() == MEMBERS || whole.len() > STATE_BYTES || members.iter().any(|(known, _)| *known == key) {
                return None;
            }
            members.push((key, value));
        }
    }
    HeaderValue::try_from(whole).ok().filter(|whole| !whole.is_empty())
}

fn is_key(key: &str) -> bool {
    let inner = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'*' | b'/' | b'@');
    key.len() <= MEMBER_BYTES
        && key.starts_with(|first: char| first.is_ascii_lowercase() || first.is_ascii_digit())
        && key.bytes().all(inner)
        && key.matches('@').count() <= 1
}

fn is_value(value: &str) -> bool {
    (1..=MEMBER_BYTES).contains(&value.len()) && value.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'=')
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn headers(fields: &[(HeaderName, &str)]) -> HeaderMap {
        fields.iter().map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap())).collect()
    }

    fn state_of(fields: &[&str]) -> Option<String> {
        let state = fields.iter().map(|state| (STATE, *state));
        let mut map = HeaderMap::new();
        std::iter::once((PARENT, GOOD)).chain(state).for_each(|(name, value)| {
            map.append(name, value.parse().unwrap());
        });
        Trace::of(&map).state().map(|state| state.to_str().unwrap().to_owned())
    }

    #[rstest]
    #[case(GOOD, "01")]
    #[case("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00", "00")]
    #[case("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-ff", "03")]
    fn a_trace_goes_on_with_a_span_of_its_own(#[case] parent: &str, #[case] flags: &str) {
        let trace = Trace::of(&headers(&[(PARENT, parent), (STATE, "a=1")]));
        let ours = trace.parent();
        assert_eq!(trace.id(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert!(ours.starts_with(&GOOD[..36]) && ours.ends_with(&format!("-{flags}")), "{ours}");
        assert_ne!(ours[36..52], GOOD[36..52]);
        assert_eq!(trace.state().unwrap(), "a=1");
    }

    #[test]
    fn without_one_a_new_one_begins_each_time() {
        let [one, two] = [(); 2].map(|()| Trace::of(&headers(&[(STATE, "a=1")])));
        assert_ne!((one.id(), &one.span), (two.id(), &two.span));
        assert_ne!(&one.id()[16..], one.span);
        assert!(one.state().is_none());
        let again = named(&headers(&[(PARENT, &one.parent())]));
        assert_eq!(again, Some((one.id().to_owned(), 0)));
    }

    #[rstest]
    #[case::one(&["a=1"], Some("a=1"))]
    #[case::several_fields(&["a=1, b=2", "", "c@d=x y,,\te=~"], Some("a=1,b=2,c@d=x y,e=~"))]
    #[case::nothing(&[" , "], None)]
    #[case::no_value(&["a=1,b="], None)]
    #[case::no_key(&["=1"], None)]
    #[case::no_pair(&["a"], None)]
    #[case::two_signs(&["a=1=2"], None)]
    #[case::a_key_in_capitals(&["A=1"], None)]
    #[case::two_systems(&["a@b@c=1"], None)]
    #[case::a_tab(&["a=1\t2"], None)]
    #[case::twice(&["a=1", "a=2"], None)]
    fn a_state_is_passed_on_whole_or_not_at_all(#[case] fields: &[&str], #[case] passed: Option<&str>) {
        assert_eq!(state_of(fields).as_deref(), passed);
    }

    #[test]
    fn a_state_has_a_bound() {
        let members = |count: usize| (0..count).map(|index| format!("k{index}=1")).collect::<Vec<_>>().join(",");
        assert_eq!(state_of(&[&members(32)]), Some(members(32)));
        assert_eq!(state_of(&[&members(33)]), None);
        let long = |value: usize| format!("a={},b={}", "x".repeat(250), "x".repeat(value));
        assert_eq!(state_of(&[&long(257 - 2)]), Some(long(255)));
        assert_eq!(state_of(&[&long(256)]).map(|state| state.len()), Some(511));
        assert_eq!(state_of(&[&format!("{},", long(256)), "c=1"]), None);
        assert_eq!(state_of(&[&format!("a={}", "x".repeat(257))]), None);
    }
}
