//! A list with pages: `GET /visits` lists a member's own visits, the newest first.
//!
//! The member signs in with a token of an outside issuer (`outside_authorizer.rs`), and is a
//! partition of the table. A page has a sealed cursor to the next one: `GET /visits?limit=20&cursor=…`.

use aws::{Aws, CURSOR_KEY, Pages, Range};
use lifecycle::claims::date_passed_on;
use lifecycle::prelude::*;
use lifecycle::record::{Key, Record, TableName};
use lifecycle::resource::Action;
use lifecycle::{Claims, Identity, Query, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

fn main() -> ExitCode {
    aws::serve(build)
}

fn build(aws: &Aws) -> ListVisits {
    ListVisits { visits: aws.pages(ListVisits::ROUTE) }
}

const VISITS: TableName = TableName::new("visits").sorted();

struct ListVisits {
    visits: Pages<Visit>,
}

impl Query for ListVisits {
    // 1. Routing
    const ROUTE: Route = Route::get("/visits");

    // 2. Authentication
    type Caller = Member;

    // 3. Authorization, before anything is read
    const ACCESS: Access<NoRole> = Access::SignedIn;

    const RESOURCES: Resources =
        &[Resource::Table(VISITS, &[Action::Query]), Resource::Secret(CURSOR_KEY)];

    // 4. Deserialisation
    type Input = QueryString<PageQuery>;

    // 5. Syntax validation
    type Command = NewestFirst;

    // 6. Retrieval: only the partition of the caller
    type Facts = Page<Visit>;

    async fn retrieve(
        &self,
        permit: &Permit<Member>,
        NewestFirst(page): &NewestFirst,
    ) -> Retrieved<Page<Visit>> {
        self.visits.page(permit, Range::partition(&permit.caller().id), page).await
    }

    // 3b. Authorization: members see their own visits
    const ALLOW: Allow<Self> = Allow::Always;

    // 7. and 8. A query decides nothing and changes nothing.

    // 9. Response
    type Reply = reply::Ok<Page<VisitView>>;

    fn reply(page: Page<Visit>) -> reply::Ok<Page<VisitView>> {
        reply::Ok::of(page.map(|Visit { at, room, .. }| VisitView { at, room }))
    }
}

/// A visit, as it is stored: one partition for each member, in the order of time.
#[derive(Debug, Serialize, Deserialize)]
struct Visit {
    member: String,
    at: Timestamp,
    room: String,
}

impl Record for Visit {
    const TABLE: TableName = VISITS;

    fn key(&self) -> Key {
        Key::sorted(&self.member, self.at)
    }
}

/// A visit.
#[derive(Debug, Serialize, JsonSchema)]
struct VisitView {
    /// When it began.
    at: Timestamp,
    /// The room.
    room: String,
}

/// A member, by the claims that the authorizer passes on.
#[derive(Debug, Clone)]
struct Member {
    id: String,
    expires_at: Timestamp,
}

impl Identity for Member {
    type Role = NoRole;

    fn from_claims(claims: &Claims) -> Option<Self> {
        let id = claims.get("sub")?.as_str()?.to_owned();
        Some(Self { id, expires_at: date_passed_on(claims.get("exp")?)? })
    }

    fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    fn subject(&self) -> String {
        self.id.clone()
    }

    fn has(&self, role: NoRole) -> bool {
        match role {}
    }
}

#[cfg(test)]
mod tests {
    use aws::testing::InMemory;
    use lifecycle::testing::{Memory, Request};
    use serde_json::json;

    use super::*;

    fn visit(member: &str, at: &str) -> Visit {
        Visit { member: member.to_owned(), at: at.parse().unwrap(), room: "Reading".to_owned() }
    }

    #[tokio::test]
    async fn a_page_has_the_members_own_visits_and_the_cursor_of_the_next_page() {
        let memory = Memory::new();
        memory.put(&visit("ada", "2026-01-01T09:00:00Z"));
        memory.put(&visit("ada", "2026-01-02T09:00:00Z"));
        memory.put(&visit("grace", "2026-01-03T09:00:00Z"));
        let list_visits = InMemory::new(&memory).endpoint(build);
        let ada = Request::new().by(json!({ "sub": "ada", "exp": 1_900_000_000 }));
        let request = ada.query("limit", 1);

        let first = list_visits.ask(&request).await.json();
        let cursor = first["nextCursor"].as_str().unwrap();
        let second = list_visits.ask(&request.query("cursor", cursor)).await.json();

        assert_eq!(first["data"][0]["at"], "2026-01-02T09:00:00.000Z");
        assert_eq!(second["data"][0]["at"], "2026-01-01T09:00:00.000Z");
        assert!(second.get("nextCursor").is_none_or(serde_json::Value::is_null), "{second}");
    }

    #[tokio::test]
    async fn a_request_without_a_token_is_401() {
        let list_visits = InMemory::new(&Memory::new()).endpoint(build);
        assert_eq!(list_visits.ask(&Request::new()).await.status, 401);
    }

    #[test]
    fn claims_without_an_expiry_are_no_member() {
        let claims = json!({ "sub": "ada", "exp": 1_900_000_000 });
        let mut claims = claims.as_object().unwrap().clone();
        assert_eq!(Member::from_claims(&claims).unwrap().subject(), "ada");
        claims.remove("exp");
        assert!(Member::from_claims(&claims).is_none());
    }
}
