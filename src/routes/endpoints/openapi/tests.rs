use super::*;

const BOTH: &[ListenerClass] = &[ListenerClass::Public, ListenerClass::Internal];
const GET: &[Method] = &[Method::GET];

fn row(name: &'static str, path: &'static str, service: Service, protection: Protection) -> Described<'static> {
    let media = Some(Media { takes: &[Medium::Json], gives: &[Medium::Jose] });
    Described { name, methods: GET, path, on: BOTH, service, protection, cookie: Some("cookie"), media }
}

fn document(rows: &[Described<'_>]) -> Value {
    serde_json::from_slice(&OpenApiEndpoint::new(rows, "https://login.example.com").0).unwrap()
}

#[test]
fn a_row_is_told_with_what_it_demands_takes_and_gives() {
    let document = document(&[row("target-delete", "/targets/{id}", Service::DeleteTarget, Protection::FidoUaf)]);
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["servers"][0]["url"], "https://login.example.com");
    let operation = &document["paths"]["/targets/{id}"]["get"];
    assert_eq!(operation["operationId"], "target-delete");
    assert_eq!(operation["x-listeners"], json!(["public", "internal"]));
    let demands =
        ["cookie", "session-token", "internal-caller", "internal-certificate"].map(|scheme| json!({ scheme: [] }));
    assert_eq!(operation["security"], json!(demands));
    assert_eq!(operation["parameters"][0]["name"], "id");
    assert_eq!(operation["requestBody"]["content"], json!({ "application/json": {} }));
    assert_eq!(operation["responses"]["2XX"]["content"], json!({ "application/jose": {} }));
    assert_eq!(document["components"]["securitySchemes"]["cookie"]["in"], "cookie");
}

#[test]
fn nobody_is_asked_for_what_a_row_does_not_take() {
    let demand = |protection| row("x", "/x", Service::Status, protection);
    assert_eq!(security::demands(&demand(Protection::Open)), json!([]));
    assert_eq!(security::demands(&demand(Protection::JwsBypass)), json!([]));
    let admin = json!([{ "internal-caller": [] }, { "internal-certificate": [] }]);
    assert_eq!(security::demands(&demand(Protection::Admin)), admin);
    let public = Described { on: &[ListenerClass::Public], ..demand(Protection::Session) };
    assert_eq!(
        security::demands(&public),
        json!([{ "cookie": [] }, { "session-token": [] }]),
        "internal callers don't come there"
    );
}

#[test]
fn methods_of_one_row_have_names_of_their_own() {
    let methods = &[Method::GET, Method::POST];
    let both = Described { methods, media: None, ..row("x", "/x", Service::Status, Protection::Open) };
    let document = document(&[both]);
    assert_eq!(document["paths"]["/x"]["get"]["operationId"], "x-GET");
    assert_eq!(document["paths"]["/x"]["post"]["operationId"], "x-POST");
    assert!(document["paths"]["/x"]["get"].get("requestBody").is_none(), "a server behind says what it takes");
}
