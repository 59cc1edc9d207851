//! `GET /objects/{objectId}`: an object that is online and was received in the last 30 seconds.

use std::process::ExitCode;

use aws::{OrNotFound, Table};
use domain::callback::{Object, ObjectId, ObjectView};
use domain::resources::OBJECTS;
use lifecycle::caller::NoRole;
use lifecycle::input::Path;
use lifecycle::resource::{Action, Resource};
use lifecycle::{Access, Anyone, FieldErrors, Permit, Query, Reply, RetrieveError, Route, Verdict};
use schemars::JsonSchema;

fn main() -> ExitCode {
    aws::serve(|aws| GetObject { objects: aws.table() })
}

struct GetObject {
    objects: Table<Object>,
}

impl Query for GetObject {
    // 1. Routing
    const ROUTE: Route = Route::get("/objects/{objectId}");

    // 2. Authentication
    type Caller = Anyone;

    // 3. Authorization, before anything is read
    const ACCESS: Access<NoRole> = Access::Public;

    const RESOURCES: &'static [Resource] = &[Resource::Table(OBJECTS, &[Action::GetItem])];

    // 4. Deserialisation
    type Input = Path<Parameters>;

    // 5. Syntax validation
    type Command = ObjectId;

    fn parse(Path(parameters): Path<Parameters>) -> Result<ObjectId, FieldErrors> {
        Ok(parameters.object_id)
    }

    // 6. Retrieval: expired objects are filtered out, since their removal may be late
    type Facts = Object;

    async fn retrieve(
        &self,
        permit: &Permit<Anyone>,
        object_id: &ObjectId,
    ) -> Result<Object, RetrieveError> {
        let stored = self.objects.get(permit, &Object::key_of(*object_id)).await?;
        stored.filter(|object| !object.is_gone(permit.moment().now())).or_not_found()
    }

    // 3b. Authorization: objects are public
    fn allow(_: &Anyone, _: &ObjectId, _: &Object) -> Verdict {
        Verdict::Allow
    }

    // 7. and 8. A query decides nothing and changes nothing.

    // 9. Response
    type View = ObjectView;

    fn reply(object: Object) -> Reply<ObjectView> {
        Reply::ok(object.into())
    }
}

#[derive(Debug, eserde::Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Parameters {
    object_id: ObjectId,
}
