//! A small application: notes on a shelf with limited room.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::recorder::Recorder;
use crate::caller::claims::date_passed_on;
use crate::caller::{Access, Claims, Identity, TokenVerifier, Verdict};
use crate::conditions::Conditions;
use crate::effects::{Condition, Effects, Event, EventData, Message, QueueName, Write};
use crate::endpoint::{Allow, Endpoint, Query};
use crate::error::{DomainError, ErrorCode, ErrorKind, FieldErrors, RetrieveError, Retrieved};
use crate::idempotency::Idempotency;
use crate::input::{Json, Path};
use crate::limit::{Limit, MINUTE};
use crate::ports::Store;
use crate::record::{Key, Record, TableName};
use crate::reply;
use crate::resource::{Action, Resource, Resources};
use crate::route::Route;
use crate::telemetry::observe_cache;
use crate::{Moment, Permit, Timestamp};

pub(super) const NOTES: TableName = TableName::new("notes");
pub(super) const READERS: QueueName = QueueName::new("readers");

const UNDECIDED: ErrorCode =
    ErrorCode::new(ErrorKind::Conflict, "UNDECIDED", "Nothing is decided.");
const SHELF_FULL: ErrorCode =
    ErrorCode::new(ErrorKind::Unprocessable, "SHELF_FULL", "The shelf is full.");

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) id: String,
    pub(super) role: Role,
    pub(super) expires_at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Reader,
    Author,
}

impl Identity for Member {
    type Role = Role;

    fn from_claims(claims: &Claims) -> Option<Self> {
        Some(Self {
            id: claims.get("sub")?.as_str()?.to_owned(),
            role: match claims.get("role")?.as_str()? {
                "AUTHOR" => Role::Author,
                _ => Role::Reader,
            },
            expires_at: date_passed_on(claims.get("exp")?)?,
        })
    }

    fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    fn subject(&self) -> String {
        self.id.clone()
    }

    fn has(&self, role: Role) -> bool {
        self.role == role
    }
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub(super) struct Note {
    pub(super) id: String,
    pub(super) author: String,
    pub(super) text: String,
}

impl Record for Note {
    const TABLE: TableName = NOTES;

    fn key(&self) -> Key {
        Key::new(&self.id)
    }
}

/// The number of notes that still fit on the shelf.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Shelf {
    pub(super) room: i64,
}

impl Record for Shelf {
    const TABLE: TableName = NOTES;

    fn key(&self) -> Key {
        Key::new("shelf")
    }
}

#[derive(Serialize)]
pub(super) struct NoteAdded {
    pub(super) text: String,
}

impl EventData for NoteAdded {
    const TYPE: &'static str = "NoteAdded";
}

/// Adds a note if the shelf has room.
pub(super) struct PostNote {
    pub(super) retrievals: AtomicU32,
    /// Whether the shelf is gone.
    pub(super) gone: AtomicBool,
}

#[derive(Debug, eserde::Deserialize, JsonSchema)]
pub(super) struct Body {
    pub(super) text: String,
}

impl TryFrom<Body> for String {
    type Error = FieldErrors;

    fn try_from(body: Body) -> Result<Self, FieldErrors> {
        if body.text.is_empty() {
            return Err(FieldErrors::one("/text", "must not be empty"));
        }
        Ok(body.text)
    }
}

impl Endpoint for PostNote {
    const ROUTE: Route = Route::post("/notes");
    type Caller = Member;
    const ACCESS: Access<Role> = Access::OneOf(&[Role::Author]);
    const LIMIT: Limit = Limit::approximate(120, MINUTE);
    const IDEMPOTENCY: Idempotency = Idempotency::Accepted;
    const BODY_BYTES_MAX: usize = 100;
    const RESOURCES: Resources = &[
        Resource::Table(NOTES, &[Action::GetItem, Action::PutItem, Action::UpdateItem]),
        Resource::Outbox,
        Resource::Queue(READERS),
    ];

    type Input = Json<Body>;
    type Command = String;

    type Facts = ();

    async fn retrieve(&self, _: &Permit<Member>, text: &String) -> Retrieved<()> {
        self.retrievals.fetch_add(1, Ordering::SeqCst);
        if self.gone.load(Ordering::SeqCst) {
            return Err(RetrieveError::NotFound);
        }
        match text.as_str() {
            "panic" => panic!("the endpoint panicked, secret=hunter2"),
            "hang" => tokio::time::sleep(Duration::from_hours(1)).await,
            "absent" => return Err(RetrieveError::NotFound),
            "limited" => return Err(RetrieveError::RateLimited { retry_after_s: 7 }),
            "cached" => observe_cache("shelf", true),
            "broken" => return Err(RetrieveError::internal("secret=hunter2")),
            _ => {}
        }
        Ok(())
    }

    const ALLOW: Allow<Self> = Allow::If(|_, text: &String, ()| match text.as_str() {
        "forbidden" => Verdict::Forbid,
        "hidden" => Verdict::Hide,
        _ => Verdict::Allow,
    });

    const CONDITIONS: Conditions<()> = Conditions::Creation(None);

    type Outcome = Note;
    const ERRORS: &'static [ErrorCode] = &[UNDECIDED, SHELF_FULL];

    fn decide(
        moment: &Moment,
        author: &Member,
        text: &String,
        (): (),
    ) -> Result<Note, DomainError> {
        if text == "undecided" {
            return Err(UNDECIDED.into());
        }
        let id = moment.id("note").to_string();
        Ok(Note { id, author: author.id.clone(), text: text.clone() })
    }

    fn effects(note: &Note) -> Effects {
        let added = || Event::about(&note.id, &NoteAdded { text: note.text.clone() });
        let effects = Effects::none()
            .write(Write::create(note))
            .write(
                Write::update::<Shelf>(Key::new("shelf"))
                    .add("room", -1)
                    .when(Condition::AtLeast("room", 1))
                    .or_reject(SHELF_FULL.at("/text", "there is no room for it")),
            )
            .event(added())
            .message(Message::new(READERS, added()));
        match note.text.as_str() {
            "undeclared" => effects.write(Write::delete::<Note>(Key::new("another"))),
            "in parts" => effects.part(Effects::none().event(added())),
            _ => effects,
        }
    }

    type Reply = reply::Created<Note>;

    fn reply(note: Note) -> reply::Created<Note> {
        let location = format!("/notes/{}", note.id);
        reply::Created::at(location, note)
    }
}

/// Returns a note to any caller.
pub(super) struct GetNote {
    pub(super) platform: Arc<Recorder>,
    pub(super) verifier: Option<Arc<dyn TokenVerifier>>,
}

#[derive(Debug, eserde::Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct NotePath {
    #[eserde(compat)]
    pub(super) note_id: Uuid,
}

impl From<NotePath> for Uuid {
    fn from(path: NotePath) -> Self {
        path.note_id
    }
}

impl Query for GetNote {
    const ROUTE: Route = Route::get("/notes/{noteId}");
    type Caller = Option<Member>;
    const ACCESS: Access<Role> = Access::Public;
    const LIMIT: Limit = Limit::exact(3, MINUTE);
    const RESOURCES: Resources = &[Resource::Table(NOTES, &[Action::GetItem])];

    type Input = Path<NotePath>;
    type Command = Uuid;

    type Facts = Note;

    async fn retrieve(&self, _: &Permit<Option<Member>>, id: &Uuid) -> Retrieved<Note> {
        let item =
            self.platform.read(NOTES, &Key::new(id)).await?.ok_or(RetrieveError::NotFound)?;
        serde_dynamo::from_item(item).map_err(RetrieveError::internal)
    }

    const ALLOW: Allow<Self> = Allow::Always;

    type Reply = reply::Ok<Note>;

    fn reply(note: Note) -> reply::Ok<Note> {
        reply::Ok::of(note).cached_publicly(60)
    }

    fn verifier(&self) -> Option<&dyn TokenVerifier> {
        self.verifier.as_deref()
    }
}
