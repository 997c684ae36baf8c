//! What carries a session of one domain carries none of the other, and cookies are neither shared nor shadowed.

use super::{House, MAIN, PARTNERS, SIDES};

#[tokio::test]
async fn a_cookie_under_the_name_of_the_other_is_none() {
    let house = House::open().await;
    let browser = house.in_both("jeff").await;
    for (here, there) in SIDES {
        let (own, foreign) = (here.id(&browser), there.id(&browser));
        assert_eq!(house.session(&house.client(&here.with(&foreign)), here).await, Err(401));
        // Both of them, each under the name of the other.
        let swapped = house.client(&format!("{}; {}", here.with(&foreign), there.with(&own)));
        assert_eq!(house.session(&swapped, here).await, Err(401));
        assert_eq!(house.session(&swapped, there).await, Err(401));
    }
    assert!(house.session(&browser.client(), MAIN).await.is_ok(), "nobody's tries ended anything");
    assert!(house.session(&browser.client(), PARTNERS).await.is_ok());
}

#[tokio::test]
async fn both_are_read_in_either_order() {
    let house = House::open().await;
    let browser = house.in_both("jeff").await;
    let (main, partners) = (MAIN.with(&MAIN.id(&browser)), PARTNERS.with(&PARTNERS.id(&browser)));
    let mut seen = Vec::new();
    for cookies in [format!("{main}; {partners}"), format!("{partners}; {main}"), format!("x=y;{partners};{main};z")] {
        let client = house.client(&cookies);
        seen.push((house.session(&client, MAIN).await.unwrap(), house.session(&client, PARTNERS).await.unwrap()));
    }
    assert!(seen.iter().all(|both| *both == seen[0]) && seen[0].0 != seen[0].1, "{seen:?}");
    // In fields of their own, as HTTP/2 may send them.
    for (here, there) in SIDES {
        let client = house.client(&here.with(&here.id(&browser)));
        let beside = there.with(&there.id(&browser));
        client.get(here.page).header("cookie", &beside).send().await.expect(200);
        client.get(there.page).header("cookie", &beside).send().await.expect(200);
    }
    assert!(house.upstream.heads().iter().all(|head| !head.contains("sidegate-")), "sessions stay with the gateway");
}

#[tokio::test]
async fn a_doubled_cookie_is_refused_in_its_domain_alone() {
    let house = House::open().await;
    let (jeff, eve) = (house.in_both("jeff").await, house.in_both("eve").await);
    for (here, there) in SIDES {
        let own = here.with(&here.id(&jeff));
        let beside = there.with(&there.id(&jeff));
        for tossed in [here.id(&eve), here.id(&jeff), "x".to_owned(), String::new()] {
            let spaced = format!("{} ={tossed}", here.cookie);
            for tossed in [here.with(&tossed), spaced] {
                for cookies in [format!("{tossed}; {beside}; {own}"), format!("{own}; {tossed}; {beside}")] {
                    let client = house.client(&cookies);
                    client.get(here.page).send().await.problem(400);
                    assert!(house.session(&client, there).await.is_ok(), "the other is not in doubt");
                    // Neither logs anybody in or out.
                    client.post(&here.at("logout")).send().await.problem(400);
                }
            }
        }
        assert!(house.session(&jeff.client(), here).await.is_ok() && house.session(&eve.client(), here).await.is_ok());
    }
}

#[tokio::test]
async fn other_spellings_of_the_name_or_the_value_are_no_session() {
    let house = House::open().await;
    let browser = house.in_both("jeff").await;
    for (here, there) in SIDES {
        let (id, name) = (here.id(&browser), here.cookie);
        let domain = name.strip_prefix("__Host-").unwrap();
        for cookie in [
            format!("{}={id}", name.replace("__Host", "__host")),
            format!("{}={id}", name.to_uppercase()),
            format!("{domain}={id}"),
            format!("__Secure-{domain}={id}"),
            format!("\"{name}\"={id}"),
            format!("{name}=\"{id}\""),
            format!("={name}={id}"),
            format!("{name}-b={id}"),
            format!("{}={id}", &name[..name.len() - 1]),
            format!("{name}.login={id}"),
            format!("{name}=%{:x}{}", id.as_bytes()[0], &id[1..]),
            format!("{name}={id}="),
            format!("{name}= {} {}", &id[..9], &id[9..]),
            format!("x={name}={id}"),
        ] {
            // Beside a good one of the other domain it changes nothing.
            let client = house.client(&format!("{cookie}; {}", there.with(&there.id(&browser))));
            assert_eq!(house.session(&client, here).await, Err(401), "{cookie}");
            assert!(house.session(&client, there).await.is_ok(), "{cookie}");
        }
    }
}
