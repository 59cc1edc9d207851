mod batches;
mod queries;
mod streams;
mod transactions;
mod writes;

use serde_json::{Value as Json, json};

use super::{IndexDefinition, KeySchema, StreamView, TableDefinition, Throughput};
use crate::services::tests::World;
use crate::services::{Called, Freedom, WireResponse};

const SERVICE: &str = "DynamoDB_20120810";

impl World {
    fn db(&mut self, operation: &str, body: Json) -> Json {
        self.ok(SERVICE, operation, &body)
    }

    fn db_error(&mut self, operation: &str, body: Json) -> Json {
        self.error(SERVICE, operation, &body)
    }

    fn put(&mut self, table: &str, item: Json) {
        self.db("PutItem", json!({ "TableName": table, "Item": item }));
    }

    fn get(&mut self, table: &str, key: Json, consistent: bool) -> Json {
        let get = json!({ "TableName": table, "Key": key, "ConsistentRead": consistent });
        self.db("GetItem", get)["Item"].clone()
    }
}

fn world(table: TableDefinition) -> World {
    world_with(Freedom::none(), table)
}

fn world_with(freedom: Freedom, table: TableDefinition) -> World {
    let mut world = World::new(freedom);
    world.services.add_table(table).unwrap();
    world
}

fn key(pk: &str) -> Json {
    json!({ "pk": { "S": pk } })
}

fn message(error: &Json) -> &str {
    error["message"].as_str().unwrap()
}
