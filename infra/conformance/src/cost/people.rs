//! Accounts, their proofs, and addresses.

use demo::seed::{PASSWORD, demo_id};
use hyper::{Method, StatusCode};
use serde_json::json;
use tooling::Error;

use super::lab::{Lab, Until, all_told};

pub(super) async fn count(lab: &mut Lab<'_>) -> Result<(), Error> {
    let path = format!("/users/{}", demo_id(1));
    let asks = lab.each(|_| lab.by("customer", Method::GET, &path));
    lab.count("GET /users/{userId}", StatusCode::OK, Until::Last, asks).await?;
    accounts(lab).await?;
    let address = json!({
        "buildingNumber": 44, "streetName": "Main Street", "city": "Springfield", "country": "US",
    });
    let asks = lab.each(|_| lab.by("customer", Method::POST, "/addresses").with(address.clone()));
    lab.count("POST /addresses", StatusCode::CREATED, Until::Each, asks).await?;
    Ok(())
}

/// From the sign-up to a new password, each account once.
async fn accounts(lab: &mut Lab<'_>) -> Result<(), Error> {
    let asks = lab.each(|number| {
        let (email, name) = (email(number), "Grace");
        let sign_up = json!({ "email": email, "password": PASSWORD, "name": name });
        lab.by("anonymous", Method::POST, "/users").with(sign_up)
    });
    let users = lab.count("POST /users", StatusCode::CREATED, Until::Each, asks).await?;
    let users = all_told(&users, "userId")?;

    let asked = |lab: &Lab<'_>, path: &str| {
        lab.each(|number| {
            lab.by("anonymous", Method::POST, path).with(json!({ "email": email(number) }))
        })
    };
    let proven = |lab: &Lab<'_>, what: &str, password: &str| -> Result<Vec<_>, Error> {
        let mut asks = Vec::new();
        for (number, user) in (0..).zip(&users) {
            let body = json!({ "token": mailed(lab, number)?, "password": password });
            asks.push(
                lab.by("anonymous", Method::PUT, &format!("/users/{user}/{what}")).with(body),
            );
        }
        Ok(asks)
    };

    let asks = asked(lab, "/verification-emails");
    lab.count("POST /verification-emails", StatusCode::ACCEPTED, Until::Each, asks).await?;
    let asks = proven(lab, "verification", PASSWORD)?;
    let name = "PUT /users/{userId}/verification";
    lab.count(name, StatusCode::NO_CONTENT, Until::Each, asks).await?;

    let asks = asked(lab, "/password-resets");
    lab.count("POST /password-resets", StatusCode::ACCEPTED, Until::Each, asks).await?;
    let asks = proven(lab, "password", "another-horse-battery")?;
    let name = "PUT /users/{userId}/password";
    lab.count(name, StatusCode::NO_CONTENT, Until::Each, asks).await?;
    Ok(())
}

fn email(number: u32) -> String {
    format!("grace{number}@example.com")
}

/// The token of the last mail to a user.
fn mailed(lab: &Lab<'_>, number: u32) -> Result<String, Error> {
    let mails = lab.platform.stores().mailbox().mails(Some(&email(number)));
    let text = mails.last().and_then(|mail| mail.text.as_deref()).ok_or("no mail has come")?;
    let token = text.split_once("\"token\": \"").and_then(|(_, rest)| rest.split_once('"'));
    Ok(token.ok_or("the mail has no token")?.0.to_owned())
}
