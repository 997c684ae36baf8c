//! Whom a client's certificate names.

use std::fmt::Write as _;

use openssl::x509::{X509NameEntryRef, X509NameRef, X509Ref};
use sidegate_filters::CertificateNames;

/// The names of a certificate; `None` where one of them can't be read.
pub(in crate::gateway) fn names(certificate: &X509Ref) -> Option<CertificateNames> {
    let mut names = CertificateNames { subject: subject(certificate.subject_name())?, ..CertificateNames::default() };
    for name in certificate.subject_alt_names().into_iter().flatten() {
        // What is no text has no bytes that a text could have.
        names.emails.extend(name.email().map(str::to_owned));
        names.hosts.extend(name.dnsname().map(str::to_owned));
        names.uris.extend(name.uri().map(str::to_owned));
    }
    Some(names)
}

/// As RFC 2253 writes it, and `openssl x509 -subject -nameopt RFC2253`: the last part first.
fn subject(name: &X509NameRef) -> Option<String> {
    let parts: Option<Vec<String>> = name.entries().map(part).collect();
    Some(parts?.into_iter().rev().collect::<Vec<_>>().join(","))
}

fn part(entry: &X509NameEntryRef) -> Option<String> {
    let object = entry.object();
    let key =
        object.nid().short_name().ok().filter(|key| *key != "UNDEF").map_or_else(|| object.to_string(), str::to_owned);
    let value = entry.data().to_string().ok()?;
    Some(format!("{key}={}", escaped(&value)))
}

/// What stands for itself, or for an end of the value, is told apart: no value looks like two parts.
fn escaped(value: &str) -> String {
    let mut text = String::new();
    let last = value.len().saturating_sub(1);
    for (index, byte) in value.bytes().enumerate() {
        let at_end = (index == 0 && matches!(byte, b' ' | b'#')) || (index == last && byte == b' ');
        if !matches!(byte, b' '..=b'~') {
            let _ = write!(text, "\\{byte:02X}");
        } else {
            if at_end || br#",+"\<>;"#.contains(&byte) {
                text.push('\\');
            }
            text.push(char::from(byte));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use openssl::nid::Nid;
    use openssl::x509::X509Name;
    use rstest::rstest;

    use super::*;

    fn name(parts: &[(Nid, &str)]) -> X509Name {
        let mut name = X509Name::builder().unwrap();
        for (nid, value) in parts {
            name.append_entry_by_nid(*nid, value).unwrap();
        }
        name.build()
    }

    #[rstest]
    #[case(&[(Nid::COUNTRYNAME, "CH"), (Nid::ORGANIZATIONNAME, "Bank"), (Nid::COMMONNAME, "jeff")], "CN=jeff,O=Bank,C=CH")]
    #[case(&[(Nid::COMMONNAME, "jeff,O=Bank")], "CN=jeff\\,O=Bank")]
    #[case(&[(Nid::COMMONNAME, "a+b\"c\\d<e>f;g")], r#"CN=a\+b\"c\\d\<e\>f\;g"#)]
    #[case(&[(Nid::COMMONNAME, " #x ")], "CN=\\ #x\\ ")]
    #[case(&[(Nid::COMMONNAME, "#x")], "CN=\\#x")]
    #[case(&[(Nid::COMMONNAME, "J\u{fc}rg")], r"CN=J\C3\BCrg")]
    #[case(&[(Nid::COMMONNAME, "a\nb")], r"CN=a\0Ab")]
    #[case(&[(Nid::COMMONNAME, "jeff\0,evil")], r"CN=jeff\00\,evil")]
    #[case(&[], "")]
    fn a_subject_is_written_in_one_way(#[case] parts: &[(Nid, &str)], #[case] expected: &str) {
        assert_eq!(subject(&name(parts)).unwrap(), expected);
    }
}
