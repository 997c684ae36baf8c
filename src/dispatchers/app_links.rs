//! What makes a telephone open the application for links of the link dispatcher, in place of a browser: the files that
//! Android and iOS look for at the host of `https` links (`http-api.md` 10, "App links").

use serde_json::{Value, json};

use super::base_url::PARAMETER;

/// The applications that links belong to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppLinks {
    /// Those of Android.
    pub android: Vec<AndroidApp>,
    /// Those of iOS.
    pub ios: Vec<AppleAppId>,
    /// What the path of each link begins with: that of the dispatcher's base URL.
    pub path: String,
}

/// An application of Android.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AndroidApp {
    /// Its name.
    pub package: Package,
    /// Of the certificates that it may be signed with, at least one.
    pub fingerprints: Vec<Fingerprint>,
}

/// The name of an Android application: segments with a dot between them, two at least, each of letters, digits and
/// underscores after a letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package(String);

impl Package {
    /// Checks a configured text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let in_segment = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let is_segment =
            |part: &str| part.starts_with(|first: char| first.is_ascii_alphabetic()) && part.bytes().all(in_segment);
        (text.contains('.') && text.split('.').all(is_segment)).then(|| Self(text.to_owned()))
    }
}

/// The SHA-256 fingerprint of a certificate: 32 bytes in hexadecimal with colons between them, as `keytool` and the Play
/// Console print it; in capitals, since Android compares letter for letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// Checks a configured text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_byte = |part: &str| part.len() == 2 && part.bytes().all(|digit| digit.is_ascii_hexdigit());
        (text.split(':').count() == 32 && text.split(':').all(is_byte)).then(|| Self(text.to_ascii_uppercase()))
    }
}

/// The identifier of an application of iOS: the ten characters of the team (or of an older prefix), a dot, and the
/// bundle's identifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppleAppId(String);

impl AppleAppId {
    /// Checks a configured text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (team, bundle) = text.split_once('.')?;
        let is_team = team.len() == 10 && team.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
        let in_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        let is_bundle = bundle.split('.').all(|part| !part.is_empty() && part.bytes().all(in_part));
        (is_team && is_bundle).then(|| Self(text.to_owned()))
    }
}

impl AppLinks {
    /// `/.well-known/assetlinks.json` (Digital Asset Links).
    #[must_use]
    pub fn asset_links(&self) -> Value {
        let statement = |app: &AndroidApp| {
            let fingerprints: Vec<&str> = app.fingerprints.iter().map(|fingerprint| fingerprint.0.as_str()).collect();
            json!({
                "relation": ["delegate_permission/common.handle_all_urls"],
                "target": {
                    "namespace": "android_app",
                    "package_name": app.package.0,
                    "sha256_cert_fingerprints": fingerprints,
                },
            })
        };
        self.android.iter().map(statement).collect()
    }

    /// `apple-app-site-association`: of the paths below the base URL those alone that bear a token.
    #[must_use]
    pub fn site_association(&self) -> Value {
        let apps: Vec<&str> = self.ios.iter().map(|app| app.0.as_str()).collect();
        let component = json!({ "/": format!("{}*", self.path), "?": { PARAMETER: "?*" } });
        json!({ "applinks": { "details": [{ "appIDs": apps, "components": [component] }] } })
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const PRINT: &str =
        "14:6d:e9:83:c5:73:06:50:d8:ee:b9:95:2f:34:fc:64:16:a0:83:42:e6:1d:be:a8:8a:04:96:b2:3f:cf:44:e5";

    #[test]
    fn the_files_say_which_applications_the_links_belong_to() {
        let links = AppLinks {
            android: vec![AndroidApp {
                package: Package::parse("ch.siven.access_1").unwrap(),
                fingerprints: vec![Fingerprint::parse(PRINT).unwrap()],
            }],
            ios: vec![AppleAppId::parse("AB12CD34EF.ch.siven.Access-App").unwrap()],
            path: "/open".to_owned(),
        };
        let target = json!({ "namespace": "android_app", "package_name": "ch.siven.access_1",
            "sha256_cert_fingerprints": [PRINT.to_uppercase()] });
        let relation = ["delegate_permission/common.handle_all_urls"];
        assert_eq!(links.asset_links(), json!([{ "relation": relation, "target": target }]));
        let components = json!([{ "/": "/open*", "?": { "dispatchTokenResponse": "?*" } }]);
        let details = json!([{ "appIDs": ["AB12CD34EF.ch.siven.Access-App"], "components": components }]);
        assert_eq!(links.site_association(), json!({ "applinks": { "details": details } }));
    }

    #[rstest]
    #[case("siven")]
    #[case("")]
    #[case(".siven")]
    #[case("ch.siven.")]
    #[case("ch..siven")]
    #[case("ch.1siven")]
    #[case("ch.siven app")]
    #[case("ch.siven-app")]
    fn what_is_no_package_is_refused(#[case] text: &str) {
        assert_eq!(Package::parse(text), None);
    }

    #[test]
    fn what_is_no_fingerprint_is_refused() {
        let long = format!("{PRINT}:00");
        for text in ["", &PRINT[3..], long.as_str(), &PRINT.replace(':', ""), &PRINT.replace("14", "1g")] {
            assert_eq!(Fingerprint::parse(text), None, "{text}");
        }
    }

    #[rstest]
    #[case("ch.siven.access")]
    #[case("AB12CD34EF")]
    #[case("AB12CD34EF.")]
    #[case("ab12cd34ef.ch.siven")]
    #[case("AB12CD34E.ch.siven")]
    #[case("AB12CD34EF.ch.*")]
    #[case("AB12CD34EF.ch..siven")]
    fn what_is_no_app_id_is_refused(#[case] text: &str) {
        assert_eq!(AppleAppId::parse(text), None);
    }
}
