use http::{Method, header};
use rstest::rstest;
use sidegate_filters::SessionDomain;

use super::*;
use crate::identity::testing::{domain, exchange, realm};

fn text(page: &Response<Bytes>) -> String {
    String::from_utf8(page.body().to_vec()).unwrap()
}

fn field(page: &Response<Bytes>) -> String {
    field_of(&text(page))
}

fn field_of(text: &str) -> String {
    let (_, rest) = text.split_once("name=\"return\" value=\"").unwrap();
    rest.split_once('"').unwrap().0.to_owned()
}

#[test]
fn the_form_carries_its_target_sealed() {
    let domain = domain();
    let pages = domain.pages();
    let goal = Goal::any(ReturnTarget::parse("/app?a=b").unwrap());
    let page = pages.form(StatusCode::OK, &LoginForm { goal: &goal, name: "", notice: None }).unwrap();
    assert!(!text(&page).contains("/app"), "sealed, so that nobody writes one of his own");
    assert_eq!(pages.open(Some(&field(&page))).unwrap(), goal);
    assert_eq!(pages.open(None).unwrap().target.as_str(), "/home");
    assert!(matches!(pages.open(Some("/app")), Err(ReturnError::Forged)));
}

#[test]
fn a_name_is_escaped() {
    let goal = Goal::any(ReturnTarget::start());
    let form = LoginForm { goal: &goal, name: "\"><script>alert('1')&", notice: Some(Notice::Wrong) };
    let page = text(&domain().pages().form(StatusCode::UNAUTHORIZED, &form).unwrap());
    assert!(page.contains("value=\"&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&amp;\""));
    assert!(!page.contains("<script"));
    assert!(page.contains("role=\"alert\">The user name or the password is wrong."));
}

#[test]
fn pages_run_nothing_load_nothing_and_stay_nowhere() {
    let page = domain().pages().log_out();
    let policy = page.headers().get(header::CONTENT_SECURITY_POLICY).unwrap().to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"));
    assert!(policy.ends_with("form-action 'self'; frame-ancestors 'none'; base-uri 'none'"));
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
    ] {
        assert_eq!(page.headers().get(name).unwrap(), value);
    }
    assert!(!text(&page).contains("http"));
}

#[tokio::test]
async fn the_style_on_the_page_is_the_one_the_policy_names() {
    use base64::Engine as _;
    let page = domain().pages().log_out();
    let text = text(&page);
    let style = text.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
    let hash = base64::engine::general_purpose::STANDARD.encode(crate::jose::sha256(style.as_bytes()));
    let policy = page.headers().get(header::CONTENT_SECURITY_POLICY).unwrap().to_str().unwrap();
    assert!(policy.contains(&format!("'sha256-{hash}'")));
}

#[rstest]
#[case(Demand { level: 1, ..Demand::default() }, true)]
#[case(Demand { realms: vec!["password".into()], ..Demand::default() }, true)]
#[case(Demand { level: 2, ..Demand::default() }, false)]
#[case(Demand { realms: vec!["fido-uaf".into()], ..Demand::default() }, false)]
#[tokio::test]
async fn the_form_is_shown_only_where_a_password_helps(#[case] demand: Demand, #[case] form: bool) {
    let domain = domain();
    let cookie = domain.login("jeff", &realm("password", 1, true), None).await.unwrap();
    let session = domain.session(&cookie).await.unwrap();
    let exchange = exchange(Method::GET, &[]);
    for session in [Some(&*session), None] {
        let prompt = LoginPrompt {
            exchange: &exchange,
            domain: domain.sessions.domain(),
            demand: &demand,
            session,
            target: ReturnTarget::start(),
        };
        let page = text(&domain.pages().page(&prompt).unwrap());
        assert_eq!(page.contains("name=\"isiwebpasswd\""), form);
        let says_how =
            page.contains("Open the page in the app") && page.contains("<a href=\"/home\">Back to the start");
        assert_eq!(says_how, !form, "{page}");
        assert_eq!(page.contains("jeff"), session.is_some());
    }
}

/// What a page offers: a password, the phone, a name to be typed.
fn offers(page: &str) -> (bool, bool, bool) {
    let has = |text: &str| page.contains(text);
    (has("name=\"isiwebpasswd\""), has("Approve on my phone"), has("name=\"isiwebuserid\""))
}

#[rstest]
#[case(Demand { level: 1, ..Demand::default() }, (true, true, true), (true, true, true))]
#[case(Demand { realms: vec!["password".into()], ..Demand::default() }, (true, false, true), (true, false, true))]
#[case(Demand { realms: vec!["oob".into()], ..Demand::default() }, (false, true, false), (false, true, true))]
#[case(Demand { level: 2, ..Demand::default() }, (false, true, false), (false, true, true))]
#[case(Demand { level: 3, ..Demand::default() }, (false, false, false), (false, false, false))]
#[case(Demand { realms: vec!["fido-uaf".into()], ..Demand::default() }, (false, false, false), (false, false, false))]
#[case(Demand { roles: vec!["staff".into()], ..Demand::default() }, (true, true, true), (true, true, true))]
#[tokio::test]
async fn the_phone_is_offered_only_where_it_helps(
    #[case] demand: Demand,
    #[case] below: (bool, bool, bool),
    #[case] nobody: (bool, bool, bool),
) {
    let domain = domain();
    let cookie = domain.login("jeff", &realm("password", 1, true), None).await.unwrap();
    let session = domain.session(&cookie).await.unwrap();
    let exchange = exchange(Method::GET, &[]);
    let pages = Arc::into_inner(domain.pages()).unwrap().with_approvals(Some(realm("oob", 2, true)));
    for (session, expected) in [(Some(&*session), below), (None, nobody)] {
        let target = ReturnTarget::start();
        let prompt =
            LoginPrompt { exchange: &exchange, domain: domain.sessions.domain(), demand: &demand, session, target };
        let page = text(&pages.page(&prompt).unwrap());
        assert_eq!(offers(&page), expected, "{page}");
        if expected == (false, true, false) {
            assert!(page.contains("logged in as <strong>jeff</strong>"), "{page}");
        }
        if expected.1 || expected.0 {
            let goal = pages.open(Some(&field_of(&page))).unwrap();
            let failed = LoginForm { goal: &goal, name: "", notice: Some(Notice::NotApproved) };
            let again = text(&pages.ask(StatusCode::UNAUTHORIZED, session, &failed).unwrap());
            assert_eq!(offers(&again), expected, "after an attempt that failed: {again}");
            assert!(again.contains("was not approved"), "{again}");
        }
    }
}

#[test]
fn a_page_that_waits_leads_to_the_phone_and_runs_nothing() {
    let pages = domain().pages();
    let page = text(&pages.approval(Some("app://x?a=\"><script>&b=c")));
    assert!(
        page.contains("href=\"app://x?a=&quot;&gt;&lt;script&gt;&amp;b=c\"") && !page.contains("<script"),
        "{page}"
    );
    assert!(page.contains("<meta http-equiv=\"refresh\" content=\"3\">"));
    assert!(!text(&pages.approval(None)).contains("Open the app"));
    assert!(!text(&pages.log_out()).contains("http-equiv"), "other pages stay as they are");
}

#[test]
fn a_page_of_another_domain_gets_no_form() {
    let (here, exchange, demand) = (domain(), exchange(Method::GET, &[]), Demand::default());
    let other = SessionDomain::parse("other").unwrap();
    for (domain, form) in [(here.sessions.domain(), true), (&other, false)] {
        let target = ReturnTarget::start();
        let prompt = LoginPrompt { exchange: &exchange, domain, demand: &demand, session: None, target };
        let page = here.pages().page(&prompt).unwrap();
        assert_eq!(text(&page).contains("<form"), form);
    }
}

#[rstest]
#[case(Demand { realms: vec!["partners".into()], ..Demand::default() })]
#[case(Demand { roles: vec!["staff".into()], realms: vec!["partners".into()], ..Demand::default() })]
fn what_no_login_gives_has_no_form_and_no_phone(#[case] demand: Demand) {
    let (domain, exchange) = (domain(), exchange(Method::GET, &[]));
    let target = ReturnTarget::start();
    let prompt =
        LoginPrompt { exchange: &exchange, domain: domain.sessions.domain(), demand: &demand, session: None, target };
    let page = text(&domain.pages().page(&prompt).unwrap());
    assert!(page.contains("No login here") && !page.contains("<form") && !page.contains("in the app"), "{page}");
}

#[test]
fn without_a_password_realm_there_is_no_form() {
    let domain = domain();
    let clock = Arc::clone(&domain.clock) as Arc<dyn Clock>;
    let LoginPages { seal, .. } = Arc::into_inner(domain.pages()).unwrap();
    let pages = LoginPages::new(seal, ReturnTarget::start(), None, clock);
    let form = LoginForm { goal: &Goal::any(ReturnTarget::start()), name: "", notice: None };
    let page = text(&pages.form(StatusCode::OK, &form).unwrap());
    assert!(!page.contains("<form") && page.contains("with your phone"));
}

#[test]
fn where_nobody_logs_in_a_page_says_so() {
    let (domain, exchange, demand) = (domain(), exchange(Method::GET, &[]), Demand::default());
    let clock = Arc::clone(&domain.clock) as Arc<dyn Clock>;
    let LoginPages { seal, .. } = Arc::into_inner(domain.pages()).unwrap();
    let pages = LoginPages::new(seal, ReturnTarget::start(), None, clock);
    let target = ReturnTarget::start();
    let prompt =
        LoginPrompt { exchange: &exchange, domain: domain.sessions.domain(), demand: &demand, session: None, target };
    assert!(text(&pages.page(&prompt).unwrap()).contains("No login here"));
}

#[test]
fn whoever_lacks_a_role_is_told_who_he_is_and_led_to_no_login() {
    let pages = domain().pages();
    let nobody = pages.forbidden(None);
    assert_eq!(nobody.status(), StatusCode::FORBIDDEN);
    assert!(!nobody.headers().contains_key(header::WWW_AUTHENTICATE));
    assert!(text(&nobody).contains("href=\"/home\"") && !text(&nobody).contains("<form"), "{}", text(&nobody));
}

#[test]
fn pages_beside_the_services_lead_to_rows_of_their_own_and_to_no_app() {
    let (domain, exchange) = (domain(), exchange(Method::GET, &[]));
    let LoginPages { seal, clock, .. } = Arc::into_inner(domain.pages()).unwrap();
    let pages = LoginPages::new(seal, ReturnTarget::start(), Some(realm("password", 1, true)), clock)
        .with_approvals(Some(realm("oob", 2, true)));
    let page = |pages: &LoginPages, demand: &Demand, session| {
        let (domain, target) = (domain.sessions.domain(), ReturnTarget::start());
        text(&pages.page(&LoginPrompt { exchange: &exchange, domain, demand, session, target }).unwrap())
    };
    let above = Demand { level: 3, ..Demand::default() };
    assert!(page(&pages, &above, None).contains("in the app"), "a server behind may know keys");
    let pages = pages.beside("/auth/partners".to_owned());
    assert!(page(&pages, &above, None).contains("No login here"));
    let shown = [
        page(&pages, &Demand::default(), None),
        page(&pages, &Demand { level: 2, ..Demand::default() }, None),
        text(&pages.log_out()),
        text(&pages.refused()),
    ];
    for (page, row) in shown.iter().zip(["pwd", "oob", "logout", "login"]) {
        assert!(page.contains(&format!("\"/auth/partners/{row}\"")), "{page}");
        let leads: Vec<_> = page.match_indices("\"/auth/").collect();
        assert_eq!(leads.len(), page.matches("\"/auth/partners/").count(), "{page}");
    }
}
