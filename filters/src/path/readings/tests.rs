use super::*;

/// How many readings there are, and how many bytes were looked at for them.
fn work(raw: &str) -> (Option<usize>, usize) {
    let (path, mut bytes) = (CanonicalPath::parse(raw).unwrap(), 0);
    let readings = path.read_by(|mending, text| {
        bytes += text.len();
        mending(text)
    });
    (readings.map(|readings| readings.len()), bytes)
}

/// A path of so many bytes that has several readings.
fn of_length(bytes: usize) -> String {
    format!("//{}", "a".repeat(bytes - 2))
}

#[test]
fn a_path_longer_than_2_kib_costs_nothing() {
    let (readings, _) = work(&of_length(2048));
    assert!(readings.is_some_and(|readings| readings > 1), "{readings:?}");
    assert_eq!(work(&of_length(2049)), (None, 0));
    assert_eq!(CanonicalPath::parse(&of_length(2049)).unwrap().readings(), None);
}

/// Each time that it is decoded there is one more to decode.
#[test]
fn a_path_of_endless_readings_costs_no_more_than_64_of_them() {
    let raw = format!("/%{}2F", "25".repeat(1000));
    assert!(raw.len() <= 2048);
    let (readings, bytes) = work(&raw);
    assert_eq!(readings, None);
    assert!(bytes <= 64 * MENDINGS.len() * 2048, "{bytes} bytes");
}
