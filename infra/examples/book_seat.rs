//! An idempotent write: `POST /bookings` books a seat, once for each idempotency key.
//!
//! The booking and the stored response are one transaction; a repeated request gets that response
//! again. A seat has one item, so a second guest gets the error `SEAT_TAKEN`. Call it with
//! `curl -i http://127.0.0.1:3000/bookings -H 'idempotency-key: a' -H 'content-type: application/json' -d '{"seat":"12A","guest":"Ada"}'`.

use lifecycle::prelude::*;
use lifecycle::record::{Key, Record, TableName};
use lifecycle::{Endpoint, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

fn main() -> ExitCode {
    aws::serve(|_| BookSeat)
}

const BOOKINGS: TableName = TableName::new("bookings");

lifecycle::error_codes! {
    /// Another guest has booked the seat.
    SEAT_TAKEN: Conflict = "The seat is taken.";
}

struct BookSeat;

impl Endpoint for BookSeat {
    // 1. Routing
    const ROUTE: Route = Route::post("/bookings");

    // 2. Authentication
    type Caller = Anyone;

    // 3. Authorization, before anything is read
    const ACCESS: Access<NoRole> = Access::Public;

    const IDEMPOTENCY: Idempotency = Idempotency::Required;
    const BODY_BYTES_MAX: usize = 4 * 1024;
    const RESOURCES: Resources = &[Resource::Table(BOOKINGS, &[PutItem])];

    // 4. Deserialisation
    type Input = Json<BookingDraft>;

    // 5. Syntax validation
    type Command = BookingDraft;

    // 6. Retrieval: nothing is needed, since the commit checks that the seat is free
    type Facts = ();

    async fn retrieve(&self, _: &Permit<Anyone>, _: &BookingDraft) -> Retrieved<()> {
        Ok(())
    }

    // 3b. Authorization: every caller is allowed
    const ALLOW: Allow<Self> = Allow::Always;

    const CONDITIONS: Conditions<()> = Conditions::Creation(Some(SEAT_TAKEN));

    // 7. Business rules
    type Outcome = Booking;
    const ERRORS: &'static [ErrorCode] = &[SEAT_TAKEN];

    fn decide(
        moment: &Moment,
        _: &Anyone,
        draft: &BookingDraft,
        (): (),
    ) -> Result<Booking, DomainError> {
        let BookingDraft { seat, guest } = draft.clone();
        Ok(Booking { seat, guest, booked_at: moment.now() })
    }

    // 8. Side effects
    fn effects(booking: &Booking) -> Effects {
        Effects::none().write(Write::create(booking).or_reject(SEAT_TAKEN.at("/seat", "is taken")))
    }

    // 9. Response
    type Reply = reply::Created<Booking>;

    fn reply(booking: Booking) -> reply::Created<Booking> {
        reply::Created::of(booking)
    }
}

lifecycle::single_line! {
    /// The number of a seat.
    Seat: 1..=4
}

lifecycle::single_line! {
    /// The name of a guest.
    Guest: 1..=50
}

/// A booking, as a client asks for it.
#[derive(Debug, Clone, eserde::Deserialize, JsonSchema)]
struct BookingDraft {
    /// The seat.
    seat: Seat,
    /// The guest.
    guest: Guest,
}

/// A booking, as it is stored and shown.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Booking {
    /// The seat.
    seat: Seat,
    /// The guest.
    guest: Guest,
    /// When it was booked.
    booked_at: Timestamp,
}

impl Record for Booking {
    const TABLE: TableName = BOOKINGS;

    fn key(&self) -> Key {
        Key::new(self.seat.as_str())
    }
}

#[cfg(test)]
mod tests {
    use lifecycle::testing::{self, Memory, Request};
    use serde_json::json;

    use super::*;

    fn request(guest: &str, key: &str) -> Request {
        let body = json!({ "seat": "12A", "guest": guest });
        Request::new().json(&body).header("idempotency-key", key)
    }

    #[tokio::test]
    async fn a_repeated_key_gets_the_first_response_and_books_nothing() {
        let memory = Memory::new();
        let book_seat = testing::endpoint(BookSeat, &memory);

        let first = book_seat.ask(&request("Ada", "a")).await;
        let again = book_seat.ask(&request("Ada", "a")).await;

        assert_eq!((first.status, again.status), (201, 201));
        assert_eq!(again.header("idempotency-replayed"), Some("true"));
        assert_eq!(again.json(), first.json());
        assert_eq!(memory.commits().len(), 1);
    }

    #[tokio::test]
    async fn a_taken_seat_is_409_seat_taken() {
        let book_seat = testing::endpoint(BookSeat, &Memory::new());
        book_seat.ask(&request("Ada", "a")).await;
        let second = book_seat.ask(&request("Grace", "b")).await;
        assert_eq!(second.status, 409);
        assert_eq!(second.json()["error"]["code"], "SEAT_TAKEN");
    }

    #[tokio::test]
    async fn a_request_without_a_key_is_400() {
        let book_seat = testing::endpoint(BookSeat, &Memory::new());
        let body = json!({ "seat": "12A", "guest": "Ada" });
        assert_eq!(book_seat.ask(&Request::new().json(&body)).await.status, 400);
    }
}
