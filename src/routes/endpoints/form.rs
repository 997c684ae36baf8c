//! Bodies of `application/x-www-form-urlencoded`, read strictly: one meaning for each body.

use zeroize::Zeroizing;

/// No form of ours has more fields. Each is compared with those before it, so the number bounds the work too.
const MOST_FIELDS: usize = 32;

/// The fields of a form. Values may be passwords: they are wiped.
pub(super) struct Form(Vec<(String, Zeroizing<String>)>);

/// The body is no form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum FormError {
    #[error("the body must be a form: name=value joined by &, percent-encoded UTF-8")]
    Encoding,
    #[error("a field stands in the form twice")]
    Twice,
    #[error("a form has at most {MOST_FIELDS} fields")]
    TooMany,
}

impl Form {
    pub(super) fn parse(body: &[u8]) -> Result<Self, FormError> {
        let mut fields: Vec<(String, Zeroizing<String>)> = Vec::new();
        for pair in body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
            if fields.len() >= MOST_FIELDS {
                return Err(FormError::TooMany);
            }
            let equals = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
            let (name, value) = pair.split_at_checked(equals).ok_or(FormError::Encoding)?;
            let name = decode(name)?.to_string();
            if fields.iter().any(|(other, _)| *other == name) {
                return Err(FormError::Twice);
            }
            fields.push((name, decode(value.get(1..).unwrap_or_default())?));
        }
        Ok(Self(fields))
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }
}

fn decode(text: &[u8]) -> Result<Zeroizing<String>, FormError> {
    // As long as the text at most, so that no half of a password is left behind by growing.
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let (digits, tail) = rest.split_first_chunk::<2>().ok_or(FormError::Encoding)?;
                rest = tail;
                hex(digits).ok_or(FormError::Encoding)?
            }
            other => other,
        });
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| FormError::Encoding)?;
    Ok(Zeroizing::new(text.to_owned()))
}

fn hex(digits: &[u8; 2]) -> Option<u8> {
    let [high, low] = digits.map(|digit| char::from(digit).to_digit(16));
    u8::try_from(high? * 16 + low?).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[test]
    fn fields_are_decoded() {
        let form = Form::parse(b"a=1&b=x+y%20%C3%A9%26%3d&empty=&bare&&c=p=q").unwrap();
        for (name, value) in [("a", "1"), ("b", "x y \u{e9}&="), ("empty", ""), ("bare", ""), ("c", "p=q")] {
            assert_eq!(form.get(name), Some(value));
        }
        assert_eq!(form.get("d"), None);
        assert!(Form::parse(b"").unwrap().0.is_empty());
    }

    #[rstest]
    #[case(b"a=%".as_slice(), FormError::Encoding)]
    #[case(b"a=%4", FormError::Encoding)]
    #[case(b"a=%zz", FormError::Encoding)]
    #[case(b"a=%+4", FormError::Encoding)]
    #[case(b"a=%ff", FormError::Encoding)]
    #[case(b"a=\xff", FormError::Encoding)]
    #[case(b"a=1&a=2", FormError::Twice)]
    #[case(b"a=1&%61=2", FormError::Twice)]
    fn what_could_be_read_in_two_ways_is_refused(#[case] body: &[u8], #[case] expected: FormError) {
        assert_eq!(Form::parse(body).err(), Some(expected));
    }

    #[test]
    fn a_form_has_so_many_fields_and_no_more() {
        let body = |count: usize| (0..count).map(|number| format!("f{number}=x&")).collect::<String>();
        assert_eq!(Form::parse(body(MOST_FIELDS).as_bytes()).unwrap().0.len(), MOST_FIELDS);
        // What follows the last one is not read: else its fault would be told.
        let more = format!("{}&f0=twice&x=%zz", body(MOST_FIELDS));
        assert_eq!(Form::parse(more.as_bytes()).err(), Some(FormError::TooMany));
    }

    proptest! {
        #[test]
        fn any_value_arrives_as_it_was_typed(value in ".{0,40}") {
            let encoded: String = value.bytes().map(|byte| format!("%{byte:02x}")).collect();
            let body = format!("isiwebpasswd={encoded}");
            let form = Form::parse(body.as_bytes()).unwrap();
            prop_assert_eq!(form.get("isiwebpasswd"), Some(value.as_str()));
        }
    }
}
