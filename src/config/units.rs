//! Durations and sizes as people write them.

use std::time::Duration;

/// The longest duration taken: ten years, so that no sum of two overflows.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 86_400);

/// Reads `500ms`, `30s`, `5m`, `8h`, `1d` or a bare number of seconds. Zero is refused: no limit here has a use for it.
pub(super) fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = split(text)?;
    let millis = match unit {
        "ms" => 1,
        "" | "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    let duration = Duration::from_millis(number.checked_mul(millis)?);
    (!duration.is_zero() && duration <= LONGEST).then_some(duration)
}

/// Reads `64KiB`, `256MiB`, `1GiB` or a bare number of bytes; never zero.
pub(super) fn size(text: &str) -> Option<usize> {
    let (number, unit) = split(text)?;
    let factor = match unit {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    usize::try_from(number.checked_mul(factor)?).ok().filter(|bytes| *bytes > 0)
}

/// Reads `5%`: 1 to 100.
pub(super) fn percent(text: &str) -> Option<u8> {
    let (number, unit) = split(text)?;
    u8::try_from(number).ok().filter(|number| unit == "%" && (1..=100).contains(number))
}

fn split(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at_checked(end)?;
    Some((digits.parse().ok()?, unit))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations() {
        for (text, expected) in [
            ("500ms", Some(Duration::from_millis(500))),
            ("30s", Some(Duration::from_secs(30))),
            ("30", Some(Duration::from_secs(30))),
            ("5m", Some(Duration::from_secs(300))),
            ("8h", Some(Duration::from_secs(28_800))),
            ("1d", Some(Duration::from_secs(86_400))),
            ("0", None),
            ("0s", None),
            ("", None),
            ("s", None),
            ("-5s", None),
            ("+5s", None),
            ("5 s", None),
            ("5sec", None),
            ("1h30m", None),
            ("3651d", None),
            ("18446744073709551615d", None),
        ] {
            assert_eq!(duration(text), expected, "{text}");
        }
    }

    #[test]
    fn sizes_and_shares() {
        for (text, expected) in
            [("64KiB", Some(65_536)), ("1", Some(1)), ("2B", Some(2)), ("64KB", None), ("0", None), ("1kib", None)]
        {
            assert_eq!(size(text), expected, "{text}");
        }
        for (text, expected) in [("5%", Some(5)), ("100%", Some(100)), ("0%", None), ("101%", None), ("5", None)] {
            assert_eq!(percent(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,24}") {
            let _ = (duration(&text), size(&text), percent(&text));
        }

        #[test]
        fn what_is_written_is_what_is_read(number in 1u64..100_000) {
            prop_assert_eq!(duration(&format!("{number}s")), Some(Duration::from_secs(number)));
            prop_assert_eq!(duration(&format!("{number}s")), duration(&number.to_string()));
            prop_assert_eq!(duration(&format!("{number}000ms")), duration(&number.to_string()));
            prop_assert_eq!(size(&format!("{number}KiB")), Some(usize::try_from(number).unwrap() * 1024));
        }
    }
}
