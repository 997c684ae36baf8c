//! Media types of a request, read in one way by whoever decides by them.

use http::{HeaderMap, header};

/// What is wrong with a `Content-Type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadType {
    /// There is none, or more than one.
    NotOne,
    /// It is another type.
    Other,
    /// It says more than that the text is in UTF-8.
    Parameter,
}

/// Whether `Content-Type` is one of these types, in UTF-8 if it says: another reader may go by another parameter.
///
/// # Errors
/// Why it is not.
pub fn content_type(headers: &HeaderMap, types: &[&str]) -> Result<(), BadType> {
    let mut values = headers.get_all(header::CONTENT_TYPE).iter();
    let text = match (values.next().and_then(|value| value.to_str().ok()), values.next()) {
        (Some(text), None) => text.to_ascii_lowercase(),
        _ => return Err(BadType::NotOne),
    };
    let mut parts = text.split(';').map(str::trim);
    if !parts.next().is_some_and(|essence| types.contains(&essence)) {
        return Err(BadType::Other);
    }
    let is_utf8 = |part: &str| matches!(part, "" | "charset=utf-8" | "charset=\"utf-8\"");
    if parts.all(is_utf8) { Ok(()) } else { Err(BadType::Parameter) }
}

/// Whether `Accept` names a range that fits (RFC 9110 12.5.1), as far as a yes or no needs it: one counts unless its weight
/// is zero. Ranges are in lower case.
pub fn accepts(headers: &HeaderMap, fits: impl Fn(&str) -> bool) -> bool {
    let text = |value: &http::HeaderValue| value.to_str().map(str::to_ascii_lowercase).unwrap_or_default();
    headers.get_all(header::ACCEPT).iter().map(text).any(|field| {
        field.split(',').any(|range| {
            let mut parts = range.split(';').map(str::trim);
            parts.next().is_some_and(&fits) && !parts.any(is_zero_weight)
        })
    })
}

fn is_zero_weight(parameter: &str) -> bool {
    let weight = parameter.split_once('=').filter(|(name, _)| name.trim() == "q");
    weight.is_some_and(|(_, value)| value.trim().parse::<f32>().is_ok_and(|value| value <= 0.0))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(&["application/json"], Ok(()))]
    #[case(&["Application/JSON; charset=UTF-8"], Ok(()))]
    #[case(&["application/json;charset=\"utf-8\";"], Ok(()))]
    #[case(&["application/json;charset=utf-16"], Err(BadType::Parameter))]
    #[case(&["application/json;version=2"], Err(BadType::Parameter))]
    #[case(&["application/jsonx"], Err(BadType::Other))]
    #[case(&["application/json", "application/json"], Err(BadType::NotOne))]
    #[case(&[], Err(BadType::NotOne))]
    fn a_type_is_told_with_its_encoding_and_no_more(#[case] fields: &[&str], #[case] expected: Result<(), BadType>) {
        let fields = fields.iter().map(|field| (header::CONTENT_TYPE, HeaderValue::from_str(field).unwrap()));
        let mut headers = HeaderMap::new();
        fields.for_each(|(name, value)| _ = headers.append(name, value));
        assert_eq!(content_type(&headers, &["application/json"]), expected);
    }

    #[rstest]
    #[case("text/html", true)]
    #[case("application/json, TEXT/HTML;q=0.5", true)]
    #[case("text/html; q=0.0", false)]
    #[case("text/html;Q=0", false)]
    #[case("text/*", false)]
    fn a_range_counts_unless_its_weight_is_zero(#[case] accept: &'static str, #[case] expected: bool) {
        let headers = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))]);
        assert_eq!(accepts(&headers, |range| range == "text/html"), expected);
    }
}
