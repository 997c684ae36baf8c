//! How the subject of a certificate has to be written to be anybody's: as it is compared, in one way (RFC 2253).

/// Keys whose spelling is known: another one fits no certificate.
const KEYS: [&str; 14] =
    ["CN", "O", "OU", "C", "L", "ST", "DC", "UID", "SN", "GN", "street", "title", "serialNumber", "emailAddress"];

/// What is wrong with how it is written; `None`: a certificate may have it.
pub(super) fn fault(subject: &str) -> Option<String> {
    if subject.starts_with('/') {
        return Some("it is written as OpenSSL wrote subjects once, with slashes".to_owned());
    }
    parts(subject).into_iter().zip(1..).find_map(|(text, number)| part(text, number))
}

/// Whether it seems to be written the other way round: a certificate names the person last, and RFC 2253 first.
pub(crate) fn is_reversed(subject: &str) -> bool {
    let parts = parts(subject);
    let begins = |part: Option<&&str>, key: &str| part.is_some_and(|part| part.starts_with(key));
    let outer = ["C=", "DC=", "O="].iter().any(|key| begins(parts.first(), key));
    parts.len() > 1 && outer && begins(parts.last(), "CN=")
}

/// What stands between commas that have no backslash before them.
fn parts(subject: &str) -> Vec<&str> {
    let (mut parts, mut start, mut escaped) = (Vec::new(), 0, false);
    for (at, letter) in subject.char_indices() {
        if letter == ',' && !escaped {
            parts.extend(subject.get(start..at));
            start = at + 1;
        }
        escaped = letter == '\\' && !escaped;
    }
    parts.extend(subject.get(start..));
    parts
}

fn part(part: &str, number: usize) -> Option<String> {
    let Some((key, value)) = part.split_once('=') else {
        return Some(format!("its part {number} is no key with a value"));
    };
    if key.starts_with(' ') {
        return Some("a space follows a comma".to_owned());
    }
    let known = KEYS.iter().find(|known| known.eq_ignore_ascii_case(key));
    if let Some(known) = known.filter(|known| **known != key) {
        return Some(format!("{key:?} is written {known}"));
    }
    let is_key = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
    if key.is_empty() || !key.bytes().all(is_key) {
        return Some(format!("the key of its part {number} is none"));
    }
    let bad = value.starts_with([' ', '#']) || (value.ends_with(' ') && !value.ends_with("\\ "));
    (bad || !is_escaped(value)).then(|| format!("the value of its part {number} is not escaped as RFC 2253 has it"))
}

/// Whether what needs a backslash has one, and nothing else.
fn is_escaped(value: &str) -> bool {
    let mut bytes = value.bytes();
    while let Some(byte) = bytes.next() {
        let fits = match byte {
            b'\\' => match bytes.next() {
                Some(next) if br#",+"\<>; #"#.contains(&next) => true,
                Some(next) => is_hex(next) && bytes.next().is_some_and(is_hex),
                None => false,
            },
            b'+' | b'"' | b'<' | b'>' | b';' => false,
            other => matches!(other, b' '..=b'~'),
        };
        if !fits {
            return false;
        }
    }
    true
}

fn is_hex(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'A'..=b'F')
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("CN=jeff,O=Bank,C=CH", false, false)]
    #[case("CN=jeff", false, false)]
    #[case(r"CN=J\C3\BCrg,O=Bank", false, false)]
    #[case(r"CN=jeff\, the boss,O=a b", false, false)]
    #[case("1.2.3.4=x,CN=jeff", false, false)]
    #[case("C=CH,O=Bank,CN=jeff", false, true)]
    #[case("O=Bank,CN=jeff", false, true)]
    #[case("CN=jeff, O=Bank, C=CH", true, false)]
    #[case("/C=CH/O=Bank/CN=jeff", true, false)]
    #[case("jeff", true, false)]
    #[case("", true, false)]
    #[case("CN=jeff,", true, false)]
    #[case("cn=jeff,o=Bank", true, false)]
    #[case("CN=jeff;O=Bank", true, false)]
    #[case("CN=jeff+OU=x", true, false)]
    #[case("CN=J\u{fc}rg", true, false)]
    #[case(r"CN=J\c3\bcrg", true, false)]
    #[case("CN=jeff ,O=Bank", true, false)]
    #[case("CN= jeff", true, false)]
    #[case("EMAILADDRESS=a@b,CN=jeff", true, false)]
    fn a_subject_is_written_as_it_is_compared(#[case] subject: &str, #[case] wrong: bool, #[case] reversed: bool) {
        assert_eq!(fault(subject).is_some(), wrong, "{:?}", fault(subject));
        assert_eq!(!wrong && is_reversed(subject), reversed);
    }
}
