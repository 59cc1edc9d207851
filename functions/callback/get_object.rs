//! `GET /objects/{objectId}`: an object that is online and was received in the last 30 seconds.

use aws::{OrNotFound, Table};
use domain::callback::{Object, ObjectId, ObjectView};
use domain::resources::OBJECTS;
use lifecycle::Query;
use lifecycle::prelude::*;

pub(crate) fn main() -> ExitCode {
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

    const RESOURCES: Resources = &[Resource::Table(OBJECTS, &[GetItem])];

    // 4. Deserialisation
    type Input = Path<ObjectId>;

    // 5. Syntax validation
    type Command = ObjectId;

    // 6. Retrieval: expired objects are filtered out, since their removal may be late
    type Facts = Object;

    async fn retrieve(&self, permit: &Permit<Anyone>, object_id: &ObjectId) -> Retrieved<Object> {
        let stored = self.objects.get(permit, &Object::key_of(*object_id)).await?;
        stored.filter(|object| !object.is_gone(permit.moment().now())).or_not_found()
    }

    // 3b. Authorization: objects are public
    const ALLOW: Allow<Self> = Allow::Always;

    // 7. and 8. A query decides nothing and changes nothing.

    // 9. Response
    type Reply = reply::Ok<ObjectView>;

    fn reply(object: Object) -> reply::Ok<ObjectView> {
        reply::Ok::of(object.into())
    }
}
