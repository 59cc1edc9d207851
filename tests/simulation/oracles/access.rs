//! Access: nothing private without a token that the store has issued, that is still valid, and whose
//! roles allow it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;
use simulation::Millis;
use simulation::evidence::{Answer, Request, Requests, claims, subject};
use simulation::world::{Event, Happened, Oracle, View};

use crate::items::{self, tables};

pub(super) const NAME: &str = "access needs a valid token and its roles";

/// The leeway of verifiers, and of the clocks.
const LEEWAY: Millis = Millis::seconds(60 + 2);

/// How long a share link is valid.
const LINK: Millis = Millis::hours(7 * 24);

/// Checks each success.
#[derive(Debug, Clone, Default)]
pub(super) struct Access {
    requests: Requests,
    issued: BTreeSet<String>,
    /// The customers of orders, by the path of the order.
    customers: BTreeMap<String, String>,
    /// The share links, by their tokens.
    links: BTreeMap<String, Link>,
}

/// A share link.
#[derive(Debug, Clone)]
struct Link {
    /// The path of its article.
    article: String,
    issued_at: Millis,
    /// When the answer with a newer link of the article arrived.
    revoked_at: Option<Millis>,
}

/// The routes that need a token: a user's own or an administrator's, or with one of these roles.
const PRIVATE: [(&str, &str, Need); 15] = [
    ("GET", "/users/{}", Need::Own),
    ("GET", "/orders/user/{}", Need::Own),
    ("GET", "/orders/{}", Need::Shown("userId")),
    ("DELETE", "/orders/{}", Need::Customer),
    ("POST", "/addresses", Need::Token),
    ("POST", "/orders", Need::Shown("userId")),
    ("GET", "/orders", Need::Role(&["ADMIN"])),
    ("GET", "/rules", Need::Role(&["ADMIN"])),
    ("PUT", "/rules", Need::Role(&["ADMIN"])),
    ("POST", "/products", Need::Role(&["MERCHANT", "ADMIN"])),
    ("PATCH", "/products/{}", Need::Role(&["MERCHANT", "ADMIN"])),
    ("POST", "/articles", Need::Role(&["WRITER", "EDITOR"])),
    ("PATCH", "/articles/{}", Need::Role(&["WRITER", "EDITOR"])),
    ("PUT", "/articles/{}/approvals/me", Need::Role(&["EDITOR"])),
    ("POST", "/articles/{}/share-links", Need::Role(&["WRITER", "EDITOR"])),
];

/// The need of a route besides a token.
#[derive(Debug, Clone, Copy)]
enum Need {
    Token,
    /// The id in the path is the caller's.
    Own,
    /// The order in the path is the caller's.
    Customer,
    /// This member of the answer is the caller's id.
    Shown(&'static str),
    Role(&'static [&'static str]),
}

impl Oracle for Access {
    fn name(&self) -> &str {
        NAME
    }

    fn observe(&mut self, event: &Event, view: &View<'_>) -> Result<(), String> {
        // API Gateway would answer a 500 or a 502 instead of a 401.
        if let Happened::Failed { reason, .. } = &event.what
            && reason == "Unauthorized"
        {
            return Err("a refused token failed the authorizer".to_owned());
        }
        let Some((request, answer)) = self.requests.answered(event) else { return Ok(()) };
        if !answer.is_success() {
            return Ok(());
        }
        if request.is("POST", "/sessions") {
            if let Some(token) = answer.json()["data"]["accessToken"].as_str() {
                self.issued.insert(token.to_owned());
            }
            return Ok(());
        }
        if request.is("POST", "/orders") {
            own_address(&request, &items::all::<Address>(view, tables::ADDRESSES))?;
        }
        self.notice(&request, &answer, event.at);
        self.check(&request, &answer)
            .map_err(|reason| format!("{} {}: {reason}", request.method, request.path))
    }
}

impl Access {
    /// Keeps the owner of a new order, and the article of a new link.
    fn notice(&mut self, request: &Request, answer: &Answer<'_>, now: Millis) {
        let body = answer.json();
        let text = |member: &str| body["data"][member].as_str().unwrap_or_default().to_owned();
        if request.is("POST", "/orders") {
            self.customers.insert(format!("/orders/{}", text("orderId")), text("userId"));
        } else if request.is("POST", "/articles/{}/share-links") {
            let article = request.path.trim_end_matches("/share-links").to_owned();
            self.link(text("token"), article, request.at, now);
        }
    }

    /// Keeps a new link. It revokes each link whose answer came before this one was requested.
    fn link(&mut self, token: String, article: String, requested_at: Millis, now: Millis) {
        for link in self.links.values_mut() {
            if link.article == article && link.issued_at < requested_at {
                link.revoked_at.get_or_insert(now);
            }
        }
        self.links.insert(token, Link { article, issued_at: now, revoked_at: None });
    }

    fn check(&self, request: &Request, answer: &Answer<'_>) -> Result<(), String> {
        if request.is("GET", "/articles/{}") {
            return self.check_draft(request, answer);
        }
        let private = PRIVATE.iter().find(|(method, path, _)| request.is(method, path));
        let Some((_, _, need)) = private else { return Ok(()) };
        let claims = self.valid(request)?;
        let is_admin = has_role(&claims, &["ADMIN"]);
        let subject = claims["sub"].as_str();
        let is_allowed = match need {
            Need::Token => true,
            Need::Own => is_admin || request.path.rsplit('/').next() == subject,
            Need::Customer => {
                let customer = self.customers.get(&request.path).map(String::as_str);
                is_admin || customer.is_some() && customer == subject
            }
            Need::Shown(member) => is_admin || answer.json()["data"][member].as_str() == subject,
            Need::Role(roles) => has_role(&claims, roles),
        };
        if is_allowed { Ok(()) } else { Err(format!("allowed to {claims}")) }
    }

    /// A draft needs its author, an editor or a link.
    fn check_draft(&self, request: &Request, answer: &Answer<'_>) -> Result<(), String> {
        let body = answer.json();
        if body["data"]["status"] == "PUBLISHED" {
            return Ok(());
        }
        let token = request.query.split('&').find_map(|member| member.strip_prefix("share="));
        if let Some(link) = token.and_then(|token| self.links.get(token))
            && link.article == request.path
            && request.at <= link.issued_at + LINK + LEEWAY
            && link.revoked_at.is_none_or(|revoked_at| request.at <= revoked_at)
        {
            return Ok(());
        }
        let claims = self.valid(request)?;
        let is_author = body["data"]["authorId"] == claims["sub"];
        if is_author || has_role(&claims, &["EDITOR"]) {
            Ok(())
        } else {
            Err(format!("a draft was shown to {claims}"))
        }
    }

    /// The claims of the request's token, if it is valid.
    fn valid(&self, request: &Request) -> Result<Value, String> {
        let token = request.token().ok_or("done without a token")?;
        if !self.issued.contains(token) {
            return Err("done with a token that was never issued".to_owned());
        }
        let claims = claims(token).ok_or("done with a token without claims")?;
        let expires = claims["exp"].as_u64().unwrap_or_default();
        if request.at > Millis::seconds(expires) + LEEWAY {
            return Err("done with a token that has expired".to_owned());
        }
        Ok(claims)
    }
}

/// A stored postal address.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Address {
    address_id: String,
    user_id: String,
}

/// Whether the address of an order is its customer's: the order's summary shows it.
fn own_address(request: &Request, addresses: &[Address]) -> Result<(), String> {
    let body = request.json();
    let named = &body["addressId"];
    let customer = request.token().and_then(subject);
    let owner = addresses.iter().find(|it| *named == it.address_id).map(|it| &it.user_id);
    if owner.is_some() && owner == customer.as_ref() {
        return Ok(());
    }
    Err(format!("an order of {customer:?} names the address {named} of {owner:?}"))
}

fn has_role(claims: &Value, roles: &[&str]) -> bool {
    let given = claims["roles"].as_array().into_iter().flatten();
    given.filter_map(Value::as_str).any(|role| roles.contains(&role))
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::prelude::BASE64_URL_SAFE_NO_PAD;
    use serde_json::json;

    use super::*;

    fn token(subject: &str, roles: &[&str]) -> String {
        let claims = json!({ "sub": subject, "roles": roles, "exp": 900 }).to_string();
        format!("h.{}.s", BASE64_URL_SAFE_NO_PAD.encode(claims))
    }

    fn request(method: &str, path: &str, token: &str, at: Millis) -> Request {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        Request {
            at,
            number: 0,
            address: String::new(),
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: vec![("authorization".to_owned(), format!("Bearer {token}"))],
            body: String::new(),
        }
    }

    fn answer(body: &str) -> Answer<'_> {
        Answer { status: 200, headers: &[], body, by_function: true }
    }

    fn check(token: &str, is_issued: bool, at: Millis, path: &str, body: &Value) -> bool {
        let mut access = Access::default();
        if is_issued {
            access.issued.insert(token.to_owned());
        }
        access.check(&request("GET", path, token, at), &answer(&body.to_string())).is_ok()
    }

    #[test]
    fn private_answers_to_others_and_to_invalid_tokens_are_found() {
        let (ann, admin) = (token("ann", &["CUSTOMER"]), token("root", &["ADMIN"]));
        let now = Millis::seconds(100);
        let none = json!({});
        let anns = json!({ "data": { "userId": "ann" } });
        assert!(check(&ann, true, now, "/users/ann", &none));
        assert!(check(&admin, true, now, "/users/ann", &none));
        assert!(check(&ann, true, now, "/orders/1", &anns));
        assert!(check("any", false, now, "/products/1", &none));
        assert!(!check(&ann, true, now, "/users/bob", &none));
        assert!(!check(&ann, true, now, "/orders", &none));
        assert!(!check(&token("bob", &[]), true, now, "/orders/1", &anns));
        assert!(!check(&ann, false, now, "/users/ann", &none));
        assert!(!check(&ann, true, Millis::seconds(970), "/users/ann", &none));
    }

    #[test]
    fn a_draft_that_is_shown_to_a_reader_is_found() {
        let draft = json!({ "data": { "status": "DRAFT", "authorId": "ann" } });
        let published = json!({ "data": { "status": "PUBLISHED", "authorId": "ann" } });
        let (ann, bob) = (token("ann", &["WRITER"]), token("bob", &["WRITER"]));
        let now = Millis::seconds(100);
        assert!(check(&ann, true, now, "/articles/1", &draft));
        assert!(check(&bob, true, now, "/articles/1", &published));
        assert!(!check(&bob, true, now, "/articles/1", &draft));
        assert!(!check("", false, now, "/articles/1", &draft));
    }

    #[test]
    fn an_order_that_another_customer_cancels_is_found() {
        let (ann, bob, admin) = (token("ann", &[]), token("bob", &[]), token("root", &["ADMIN"]));
        let mut access = Access::default();
        access.issued.extend([&ann, &bob, &admin].map(String::clone));
        let order = json!({ "data": { "orderId": "1", "userId": "ann" } }).to_string();
        let now = Millis::seconds(100);
        access.notice(&request("POST", "/orders", &ann, now), &answer(&order), now);
        let cancel = |token: &str, path: &str| {
            access.check(&request("DELETE", path, token, now), &answer("{}")).is_ok()
        };
        assert!(cancel(&ann, "/orders/1"));
        assert!(cancel(&admin, "/orders/1"));
        assert!(!cancel(&bob, "/orders/1"));
        assert!(!cancel(&ann, "/orders/2"));
    }

    #[test]
    fn an_order_to_the_address_of_another_user_is_found() {
        let address =
            |id: &str, user: &str| Address { address_id: id.to_owned(), user_id: user.to_owned() };
        let addresses = [address("1", "ann"), address("2", "bob")];
        let ordered = |id: &str| {
            let body = json!({ "addressId": id }).to_string();
            let order = request("POST", "/orders", &token("ann", &[]), Millis::seconds(100));
            own_address(&Request { body, ..order }, &addresses).is_ok()
        };
        assert!(ordered("1"));
        assert!(!ordered("2"));
        assert!(!ordered("3"));
    }

    #[test]
    fn a_draft_that_is_shown_by_another_link_is_found() {
        let draft = json!({ "data": { "status": "DRAFT", "authorId": "ann" } }).to_string();
        let link = json!({ "data": { "token": "t1" } }).to_string();
        let now = Millis::seconds(100);
        let mut access = Access::default();
        let share = request("POST", "/articles/1/share-links", "", now);
        access.notice(&share, &answer(&link), now);
        let shown =
            |path: &str, at| access.check(&request("GET", path, "", at), &answer(&draft)).is_ok();
        assert!(shown("/articles/1?share=t1", now));
        assert!(shown("/articles/1?x=1&share=t1", now));
        assert!(!shown("/articles/2?share=t1", now));
        assert!(!shown("/articles/1?share=t2", now));
        assert!(!shown("/articles/1?share=t1", now + Millis::hours(7 * 24 + 1)));
    }

    #[test]
    fn a_draft_that_is_shown_by_a_revoked_link_is_found() {
        let draft = json!({ "data": { "status": "DRAFT", "authorId": "ann" } }).to_string();
        let at = Millis::seconds;
        let mut access = Access::default();
        for (token, article, requested, answered) in [
            ("t1", "/articles/1", at(100), at(101)),
            // Requested while the first was: either may be the valid one.
            ("t2", "/articles/1", at(101), at(102)),
            ("t3", "/articles/2", at(103), at(104)),
            ("t4", "/articles/1", at(110), at(111)),
        ] {
            let share = request("POST", &format!("{article}/share-links"), "", requested);
            let link = json!({ "data": { "token": token } }).to_string();
            access.notice(&share, &answer(&link), answered);
        }
        let shown =
            |path: &str, at| access.check(&request("GET", path, "", at), &answer(&draft)).is_ok();
        for token in ["t1", "t2"] {
            let path = format!("/articles/1?share={token}");
            assert!(shown(&path, at(111)), "{token}: asked while it was revoked");
            assert!(!shown(&path, at(112)), "{token}");
        }
        assert!(shown("/articles/1?share=t4", at(112)));
        assert!(shown("/articles/2?share=t3", at(112)));
    }
}
