//! `fido-uaf.app-links`: the applications that open the links of the dispatcher of type `link` (`http-api.md` 10).

use crate::dispatchers::{AndroidApp, AppLinks, AppleAppId, Fingerprint, Package, WebBase};

use super::dispatchers::Dispatcher;
use super::field::Field;
use super::scalar::Scalar;
use super::section::Section;
use super::url::PublicUrl;

impl Scalar for Package {
    const RIGHT: &'static str = "write the name of the Android package, such as com.example.access";
    fn read(text: &str) -> Result<Self, String> {
        Self::parse(text).ok_or_else(|| "this is no name of a package".to_owned())
    }
}

impl Scalar for Fingerprint {
    const RIGHT: &'static str =
        "write the SHA-256 fingerprint of the certificate that signs the package, 32 bytes such as 14:6D:E9:...";
    fn read(text: &str) -> Result<Self, String> {
        Self::parse(text).ok_or_else(|| "this is no SHA-256 fingerprint".to_owned())
    }
}

impl Scalar for AppleAppId {
    const RIGHT: &'static str = "write team and bundle, such as ABCDE12345.com.example.access";
    fn read(text: &str) -> Result<Self, String> {
        Self::parse(text).ok_or_else(|| "this is no identifier of an app".to_owned())
    }
}

/// Phones look for the files at the host of the links, so these have to be web links.
pub(super) fn read(field: &Field<'_>, dispatchers: &[Dispatcher], public_url: Option<&PublicUrl>) -> Option<AppLinks> {
    if !field.is_present() {
        return None;
    }
    let link = dispatchers.iter().find_map(|Dispatcher::Link(link)| link.base_url.web());
    match &link {
        None => field.fault(
            "no dispatcher of type link has a base-url with https, and phones give apps no other links in this way",
            "write one such as base-url: https://login.example.com/open, or leave this section",
        ),
        Some(link) => judge(field, link, public_url),
    }
    let (android, ios) = field.section(apps)?;
    Some(AppLinks { android, ios, path: link?.path })
}

fn judge(field: &Field<'_>, link: &WebBase, public_url: Option<&PublicUrl>) {
    if link.is_pattern() {
        let wrong = "the path of base-url has * or $(, which iOS takes for a pattern of other paths";
        field.fault(wrong, "write a base-url without them, or leave this section");
    }
    // Of a link they read the host alone: a file is always fetched with https, and from no other port.
    let asked = format!("https://{}", link.host);
    if link.port.is_some() || public_url.is_some_and(|public_url| public_url.text() != asked) {
        field.notice(format!(
            "phones look for the files at {asked}, port 443, and base-url and public-url are not both there: see that they \
             reach this gateway there"
        ));
    }
}

fn apps(section: &Section<'_>) -> (Vec<AndroidApp>, Vec<AppleAppId>) {
    let (android, ios) = (section.field("android"), section.field("ios"));
    let right = "write android or ios below it, or leave this section";
    section.demand_some(&["android", "ios"], "no app is named", right);
    for list in [&android, &ios] {
        list.refuse_empty("list apps, or take the key away");
    }
    (android.each(|item| item.section(android_app).flatten()), ios.each(Field::optional))
}

fn android_app(section: &Section<'_>) -> Option<AndroidApp> {
    let package = section.field("package").required();
    let listed = section.field("fingerprints").demanded(Fingerprint::RIGHT);
    let fingerprints = listed.each(Field::optional);
    listed.refuse_empty(Fingerprint::RIGHT);
    Some(AndroidApp { package: package?, fingerprints })
}
