//! The table of `http-api.md` 0.3, cell by cell.

use rstest::rstest;

use super::super::testing::{House, Plan, asker, internal};
use super::*;
use crate::identity::testing::realm;
use crate::store::Users as _;
use crate::store::{Origin, Removal, SourceNetwork};

/// What a cell of the table says, short.
#[derive(Debug, PartialEq, Eq)]
enum Cell {
    For(Option<&'static str>),
    NoSession,
    OtherUser,
    NoRole,
    Unnamed,
    UnknownUser,
}

use Cell::{For, NoRole, NoSession, OtherUser, UnknownUser, Unnamed};

const JEFF: Named<'static> = Named::Username("jeff");
const GHOST: Named<'static> = Named::Username("ghost");
const NOBODY: Named<'static> = Named::Nobody;

async fn cell(house: &House, caller: &Caller, deed: Deed, named: Named<'_>, anonymous_content: bool) -> Cell {
    let asker = Asker { anonymous_content, ..asker(caller) };
    match house.tokens.acting.permit(&asker, deed, named).await {
        Ok(permit) => For(permit.user().map(|user| match user.name.as_str() {
            "jeff" => "jeff",
            "eve" => "eve",
            other => panic!("{other}"),
        })),
        Err(NotPermitted::NoSession { .. }) => NoSession,
        Err(NotPermitted::OtherUser) => OtherUser,
        Err(NotPermitted::NoRole) => NoRole,
        Err(NotPermitted::Unnamed) => Unnamed,
        Err(NotPermitted::UnknownUser) => UnknownUser,
        Err(refusal @ (NotPermitted::Store(_) | NotPermitted::Crypto(_) | NotPermitted::StepUp { .. })) => {
            panic!("{refusal}")
        }
    }
}

const OWN: Deed = Deed::Own;
const REG: Deed = Deed::Registration;
const AUTH: Deed = Deed::Authentication;
const CONTENT: Deed = Deed::AuthenticationWithContent;

#[rstest]
// session of that user
#[case("jeff", OWN, JEFF, For(Some("jeff")))]
#[case("jeff", OWN, NOBODY, For(Some("jeff")))]
#[case("jeff", REG, JEFF, For(Some("jeff")))]
#[case("jeff", REG, NOBODY, For(Some("jeff")))]
#[case("jeff", AUTH, JEFF, For(Some("jeff")))]
#[case("jeff", AUTH, NOBODY, For(None))]
#[case("jeff", CONTENT, JEFF, For(Some("jeff")))]
#[case("jeff", CONTENT, NOBODY, NoSession)]
// session of another user
#[case("eve", OWN, JEFF, OtherUser)]
#[case("eve", OWN, GHOST, OtherUser)]
#[case("eve", REG, JEFF, OtherUser)]
#[case("eve", AUTH, JEFF, For(Some("jeff")))]
#[case("eve", CONTENT, JEFF, NoSession)]
#[case("eve", CONTENT, GHOST, NoSession)]
// nobody
#[case("nobody", OWN, JEFF, NoSession)]
#[case("nobody", OWN, NOBODY, NoSession)]
#[case("nobody", OWN, GHOST, NoSession)]
#[case("nobody", REG, JEFF, NoSession)]
#[case("nobody", AUTH, JEFF, For(Some("jeff")))]
#[case("nobody", AUTH, NOBODY, For(None))]
#[case("nobody", AUTH, GHOST, UnknownUser)]
#[case("nobody", CONTENT, JEFF, NoSession)]
#[case("nobody", CONTENT, GHOST, NoSession)]
// internal caller with the role act-for
#[case("bank", OWN, JEFF, For(Some("jeff")))]
#[case("bank", OWN, NOBODY, Unnamed)]
#[case("bank", REG, JEFF, For(Some("jeff")))]
#[case("bank", REG, NOBODY, Unnamed)]
#[case("bank", OWN, GHOST, UnknownUser)]
#[case("bank", AUTH, JEFF, For(Some("jeff")))]
#[case("bank", CONTENT, JEFF, For(Some("jeff")))]
#[case("bank", CONTENT, NOBODY, For(None))]
// internal caller without it
#[case("clerk", OWN, JEFF, NoRole)]
#[case("clerk", REG, JEFF, NoRole)]
#[case("clerk", AUTH, JEFF, For(Some("jeff")))]
#[case("clerk", CONTENT, JEFF, NoRole)]
#[tokio::test]
async fn a_cell(#[case] who: &str, #[case] deed: Deed, #[case] named: Named<'static>, #[case] expected: Cell) {
    let house = House::new();
    let caller = match who {
        "nobody" => Caller::Anonymous,
        "bank" => internal(&[Role::ActFor]),
        "clerk" => internal(&[Role::Admin]),
        name => house.user(name).await,
    };
    assert_eq!(cell(&house, &caller, deed, named, false).await, expected);
}

#[tokio::test]
async fn a_route_may_let_anybody_send_content() {
    let house = House::new();
    let eve = house.user("eve").await;
    assert_eq!(cell(&house, &Caller::Anonymous, CONTENT, JEFF, true).await, For(Some("jeff")));
    assert_eq!(cell(&house, &Caller::Anonymous, CONTENT, NOBODY, true).await, For(None));
    assert_eq!(cell(&house, &eve, CONTENT, JEFF, true).await, For(Some("jeff")));
    assert_eq!(cell(&house, &eve, OWN, JEFF, true).await, OtherUser);
    assert_eq!(cell(&house, &Caller::Anonymous, OWN, JEFF, true).await, NoSession);
}

#[tokio::test]
async fn a_session_that_ends_while_its_request_comes_in_begins_nothing() {
    let house = House::new();
    let (jeff, again) = (house.user("jeff").await, house.user("jeff").await);
    let eve = house.user("eve").await;
    house.domain.sessions.end_all(&"ext-jeff".into()).await.unwrap();
    let other = PasswordHash::of(b"another").unwrap();
    house.users.set_password("eve", other).await.unwrap();
    for (caller, deed) in [(&jeff, OWN), (&again, REG), (&eve, REG)] {
        assert_eq!(cell(&house, caller, deed, NOBODY, false).await, NoSession);
    }
    let anew = house.user("eve").await;
    assert_eq!(cell(&house, &anew, REG, NOBODY, false).await, For(Some("eve")));
}

#[tokio::test]
async fn another_key_may_need_the_first_one() {
    let house = House::new();
    let acting = house.tokens.acting.clone().with_step_up_registration(Arc::clone(&house.fido), "fido-uaf".into());
    let cookie = house.domain.login("jeff", &realm("password", 9, true), None).await.unwrap();
    let by_password = Caller::User(house.domain.session(&cookie).await.unwrap());
    let weak = asker(&by_password);
    assert!(acting.permit(&weak, REG, JEFF).await.is_ok(), "the first key");
    house.phone("jeff").await;
    for named in [JEFF, NOBODY] {
        let refused = acting.permit(&weak, REG, named).await;
        assert!(
            matches!(refused, Err(NotPermitted::StepUp { demand, .. }) if demand.realms == ["fido-uaf"]),
            "a level is no key"
        );
    }
    assert!(acting.permit(&weak, OWN, JEFF).await.is_ok());
    let by_key = house.user_by_keys("jeff").await;
    assert!(acting.permit(&asker(&by_key), REG, JEFF).await.is_ok());
    let by_unknown = house.user("jeff").await;
    let refused = acting.permit(&asker(&by_unknown), REG, JEFF).await;
    assert!(matches!(refused, Err(NotPermitted::StepUp { .. })), "with a key that can't be seen to go");
    house.credentials.remove(&"ext-jeff".into(), &Removal::All).await.unwrap();
    for deed in [OWN, REG] {
        let refused = acting.permit(&asker(&by_key), deed, JEFF).await;
        assert!(matches!(refused, Err(NotPermitted::NoSession { .. })), "its key is gone");
    }
    assert!(house.tokens.acting.permit(&weak, REG, JEFF).await.is_ok(), "where the password is enough");
}

#[tokio::test]
async fn who_may_provision_has_users_made_at_their_first_registration() {
    let house = House::new();
    let (bank, gateway) = (internal(&[Role::ActFor]), internal(&[Role::ActFor, Role::Provision]));
    let new = Named::Username("new");
    for (caller, deed) in [(&gateway, OWN), (&gateway, AUTH), (&gateway, CONTENT), (&bank, REG)] {
        assert_eq!(cell(&house, caller, deed, new, false).await, UnknownUser);
    }
    let permit = house.tokens.acting.permit(&asker(&gateway), REG, new).await.unwrap();
    let made = house.users.get("new");
    assert_eq!(permit.user().map(|user| &user.ext_id), Some(&made.ext_id));
    for guess in ["", "new", "new's password"] {
        assert!(!made.password.verify(guess.as_bytes()));
    }
    let again = house.tokens.acting.permit(&asker(&gateway), REG, new).await.unwrap();
    assert_eq!(again, permit, "once");
    let lone = internal(&[Role::Provision]);
    assert_eq!(cell(&house, &lone, REG, GHOST, false).await, NoRole);
}

#[tokio::test]
async fn nobody_is_made_under_a_given_ext_id() {
    let house = House::with(Plan { mapper: UsernameMapper::ExtId, ..Plan::default() });
    let gateway = internal(&[Role::ActFor, Role::Provision]);
    assert_eq!(cell(&house, &gateway, REG, GHOST, false).await, UnknownUser);
}

#[tokio::test]
async fn the_owner_of_a_target_is_named_by_ext_id() {
    let house = House::new();
    let owner = house.users.get("jeff").ext_id;
    let named = Named::Owner(&owner);
    assert_eq!(cell(&house, &house.user("jeff").await, OWN, named, false).await, For(Some("jeff")));
    assert_eq!(cell(&house, &house.user("eve").await, OWN, named, false).await, OtherUser);
    assert_eq!(cell(&house, &house.user("jeff").await, CONTENT, named, false).await, For(Some("jeff")));
    assert_eq!(cell(&house, &Caller::Anonymous, AUTH, named, false).await, For(Some("jeff")));
}

#[tokio::test]
async fn a_username_may_mean_the_ext_id() {
    let house = House::with(Plan { mapper: UsernameMapper::ExtId, ..Plan::default() });
    let ext_id = house.users.get("jeff").ext_id;
    let (jeff, by_id) = (house.user("jeff").await, Named::Username(ext_id.as_str()));
    assert_eq!(cell(&house, &jeff, OWN, by_id, false).await, For(Some("jeff")));
    assert_eq!(cell(&house, &jeff, OWN, JEFF, false).await, OtherUser);
    assert_eq!(cell(&house, &Caller::Anonymous, AUTH, by_id, false).await, For(Some("jeff")));
    assert_eq!(cell(&house, &Caller::Anonymous, AUTH, JEFF, false).await, UnknownUser);
}

#[tokio::test]
async fn a_targets_owner_is_hidden_by_what_requests_call_users() {
    for (mapper, called) in [(UsernameMapper::Name, "jeff"), (UsernameMapper::ExtId, "ext-jeff")] {
        let house = House::with(Plan { mapper, hide_users: true, ..Plan::default() });
        let owner = house.users.get("jeff").ext_id;
        let permit = house.tokens.acting.permit(&asker(&Caller::Anonymous), AUTH, Named::Owner(&owner)).await.unwrap();
        assert_eq!(permit.stranger(), Some(called), "as a decoy of that name would be");
        let named =
            house.tokens.acting.permit(&asker(&Caller::Anonymous), AUTH, Named::Username(called)).await.unwrap();
        assert_eq!(named, permit);
    }
}

#[tokio::test]
async fn a_store_that_is_down_permits_nothing() {
    let house = House::new();
    *house.users.up.lock().unwrap() = false;
    let refused = house.tokens.acting.permit(&asker(&Caller::Anonymous), AUTH, JEFF).await;
    assert!(matches!(refused, Err(NotPermitted::Store(StoreError::Unavailable(_)))));
}

#[tokio::test]
async fn records_are_kept_on_the_askers_account() {
    let house = House::new();
    let jeff = house.user("jeff").await;
    assert_eq!(asker(&internal(&[])).origin(), Origin::Internal);
    assert_eq!(asker(&jeff).origin(), Origin::User("ext-jeff".into()));
    assert_eq!(asker(&Caller::Anonymous).origin(), Origin::Network(SourceNetwork::of([192, 0, 2, 1].into())));
}
