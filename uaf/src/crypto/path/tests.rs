use rstest::rstest;

use super::*;
use crate::crypto::{CertificateDigest, CertificateExtension, CertificateFields, PrivateKey};

const AAID: &str = "D0D0#0001";
const TODAY: u64 = 1_760_000_000_000;

/// Root, authority and leaf; a fault changes one of them.
struct Vendor {
    root: CertificateFields,
    authority: CertificateFields,
    leaf: CertificateFields,
    forged: bool,
}

impl Vendor {
    fn new() -> Self {
        Self {
            root: CertificateFields::authority("root", None),
            authority: CertificateFields::authority("authority", None),
            leaf: CertificateFields::leaf("leaf", AAID.parse().unwrap()),
            forged: false,
        }
    }

    /// Leaf, authority and root.
    fn issue(&self) -> [Vec<u8>; 3] {
        let [root, authority, leaf] = [(); 3].map(|()| PrivateKey::generate(Algorithm::P256Raw).unwrap());
        [
            self.leaf.issue(&leaf, "authority", if self.forged { &root } else { &authority }).unwrap(),
            self.authority.issue(&authority, "root", &root).unwrap(),
            self.root.issue(&root, "root", &root).unwrap(),
        ]
    }

    fn fault(&self) -> Option<CertificateError> {
        let [leaf, authority, root] = self.issue();
        validated(&root, &[&leaf, &authority])
    }
}

/// Validates, and sees that the thread is left as an unrelated TLS connection needs it.
fn validated(root: &[u8], path: &[&[u8]]) -> Option<CertificateError> {
    let mut anchors = TrustAnchors::default();
    anchors.add(root).unwrap();
    let fault = anchors.validate(path, TODAY, Aging::Refused).err();
    let left = ErrorStack::get();
    assert!(left.errors().is_empty(), "{fault:?} leaves errors on the thread: {left}");
    fault
}

fn with(mut fields: CertificateFields, oid: &'static str, value: &[u8]) -> CertificateFields {
    fields.extensions.retain(|extension| extension.oid != oid);
    fields.extensions.push(CertificateExtension { oid, critical: true, value: value.to_vec() });
    fields
}

#[test]
fn a_good_path_leaves_no_errors() {
    assert_eq!(Vendor::new().fault(), None);
}

#[rstest]
#[case::order(Vendor { authority: Vendor::new().leaf, ..Vendor::new() }, CertificateError::Order)]
#[case::path_length(Vendor { root: CertificateFields::authority("root", Some(0)), ..Vendor::new() }, CertificateError::PathLength)]
#[case::validity(Vendor { leaf: CertificateFields { not_after: 1_600_000_000, ..Vendor::new().leaf }, ..Vendor::new() }, CertificateError::Validity)]
#[case::weak(Vendor { leaf: CertificateFields { digest: CertificateDigest::Sha1, ..Vendor::new().leaf }, ..Vendor::new() }, CertificateError::Weak)]
#[case::critical(Vendor { leaf: with(Vendor::new().leaf, "1.2.3.4", &[5, 0]), ..Vendor::new() }, CertificateError::CriticalExtension)]
#[case::signature(Vendor { forged: true, ..Vendor::new() }, CertificateError::Signature)]
fn a_refused_path_leaves_no_errors(#[case] vendor: Vendor, #[case] fault: CertificateError) {
    assert_eq!(vendor.fault(), Some(fault));
}

/// OpenSSL reads the extensions when it compares names, says that one is unreadable, and keeps an error besides.
#[rstest]
fn an_unreadable_extension_leaves_no_errors(
    #[values("2.5.29.19", "2.5.29.15", "2.5.29.14", "2.5.29.35", "2.5.29.37", "2.5.29.17", "2.5.29.30")]
    oid: &'static str,
    #[values(&b""[..], b"garbage", &[0x30, 0x7f])] value: &[u8],
) {
    assert!(Vendor { leaf: with(Vendor::new().leaf, oid, value), ..Vendor::new() }.fault().is_some());
    assert!(Vendor { authority: with(Vendor::new().authority, oid, value), ..Vendor::new() }.fault().is_some());
    assert!(Vendor { root: with(Vendor::new().root, oid, value), ..Vendor::new() }.fault().is_some());
}

#[test]
fn certificates_that_make_no_path_leave_no_errors() {
    let [leaf, authority, root] = Vendor::new().issue();
    let (leaf, authority) = (&leaf[..], &authority[..]);
    assert_eq!(validated(&root, &[authority, leaf]), Some(CertificateError::Order));
    assert_eq!(validated(&root, &[leaf]), Some(CertificateError::UnknownIssuer));
    assert_eq!(validated(&root, &[leaf; 9]), Some(CertificateError::TooMany));
    assert_eq!(validated(&root, &[b"garbage", authority]), Some(CertificateError::Malformed));
    assert_eq!(validated(&root, &[leaf, &leaf[1..]]), Some(CertificateError::Malformed));
    let mut none = Vendor::new().authority;
    none.extensions = vec![CertificateExtension::basic_constraints(false, None)];
    assert_eq!(Vendor { authority: none, ..Vendor::new() }.fault(), Some(CertificateError::NotAuthority));
}
