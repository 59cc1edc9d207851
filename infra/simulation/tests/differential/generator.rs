//! Random operations on two tables.

use serde_json::{Value as Json, json};
use simulation::random::Random;

/// An operation with its request.
#[derive(Debug, Clone)]
pub(crate) struct Operation {
    pub(crate) name: &'static str,
    pub(crate) request: Json,
}

/// A generator of operations.
pub(crate) struct Generator<R> {
    pub(super) random: R,
    /// The last transaction with a token.
    last: Option<Json>,
    tokens: u32,
}

/// A table and its key's attributes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Table {
    Plain,
    Pairs,
}

impl Table {
    fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Pairs => "pairs",
        }
    }
}

impl<R: Random> Generator<R> {
    pub(crate) fn new(random: R) -> Self {
        Self { random, last: None, tokens: 0 }
    }

    pub(crate) fn operation(&mut self) -> Operation {
        let table = self.one(&[Table::Plain, Table::Pairs]);
        let (name, request) = match self.random.below(20) {
            0..=3 => ("PutItem", self.put(table)),
            4..=8 => ("UpdateItem", self.update(table)),
            9 => ("DeleteItem", self.delete(table)),
            10 | 11 => ("GetItem", self.get(table)),
            12 | 13 => ("Query", self.query()),
            14 => ("Scan", self.scan(table)),
            15 => ("BatchWriteItem", self.batch_write()),
            16 => ("BatchGetItem", self.batch_get()),
            17 | 18 => ("TransactWriteItems", self.transact_write()),
            _ => ("TransactGetItems", self.transact_get()),
        };
        Operation { name, request }
    }

    pub(super) fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.random.index(of.len())].clone()
    }

    pub(super) fn is(&mut self, of: u64) -> bool {
        self.random.below(of) == 0
    }

    fn key(&mut self, table: Table) -> Json {
        let pk = self.one(&["a", "b", "c", "d"]);
        let mut key = json!({ "pk": { "S": pk } });
        if table == Table::Pairs {
            key["sk"] = json!({ "N": self.one(&["-1", "0", "1.5", "2", "10"]) });
        }
        if self.is(60) {
            key["pk"] =
                self.one(&[json!({ "S": "" }), json!({ "N": "1" }), json!({ "BOOL": true })]);
        }
        if self.is(80) {
            key["extra"] = json!({ "S": "x" });
        }
        key
    }

    pub(super) fn number(&mut self) -> Json {
        let text =
            self.one(&["0", "1", "2", "-3", "10", "0.5", "1e3", "007", "99999999999999999999"]);
        json!({ "N": text })
    }

    pub(super) fn text(&mut self) -> Json {
        json!({ "S": self.one(&["", "a", "b", "ab", "abc", "é"]) })
    }

    pub(super) fn value(&mut self, depth: u32) -> Json {
        match self.random.below(if depth == 0 { 8 } else { 10 }) {
            0 | 1 => self.text(),
            2 | 3 => self.number(),
            4 => self.one(&[
                json!({ "BOOL": true }),
                json!({ "BOOL": false }),
                json!({ "NULL": true }),
            ]),
            5 => self.one(&[json!({ "SS": ["a"] }), json!({ "SS": ["b", "a"] })]),
            6 => self.one(&[json!({ "NS": ["1"] }), json!({ "NS": ["2", "1", "10"] })]),
            7 => self.one(&[json!({ "B": "AQI=" }), json!({ "BS": ["AQ==", "Ag=="] })]),
            8 => {
                let count = self.random.below(3);
                json!({ "L": (0..count).map(|_| self.value(depth - 1)).collect::<Vec<_>>() })
            }
            _ => {
                let mut map = json!({});
                for name in ["x", "y"] {
                    if self.is(2) {
                        map[name] = self.value(depth - 1);
                    }
                }
                json!({ "M": map })
            }
        }
    }

    fn item(&mut self, table: Table) -> Json {
        let mut item = self.key(table);
        for name in ["n", "s", "v", "w", "set"] {
            if self.is(2) {
                item[name] = match name {
                    "n" => self.number(),
                    "s" => self.text(),
                    "set" => self.one(&[json!({ "SS": ["a", "c"] }), json!({ "NS": ["1", "3"] })]),
                    _ => self.value(2),
                };
            }
        }
        for (name, kind) in [("tag", "S"), ("rank", "N")] {
            if self.is(2) {
                item[name] = match kind {
                    "S" => json!({ "S": self.one(&["t1", "t2"]) }),
                    _ => self.number(),
                };
            }
            if self.is(100) {
                item[name] = json!({ "BOOL": true });
            }
        }
        item
    }

    fn conditional(&mut self, mut request: Json) -> Json {
        if self.is(2) {
            request["ConditionExpression"] = json!(self.condition(2));
            if self.is(2) {
                request["ReturnValuesOnConditionCheckFailure"] = json!("ALL_OLD");
            }
        }
        self.with_placeholders(request)
    }

    fn with_capacity(&mut self, mut request: Json) -> Json {
        if self.is(4) {
            request["ReturnConsumedCapacity"] = json!(self.one(&["TOTAL", "INDEXES"]));
        }
        request
    }

    fn put(&mut self, table: Table) -> Json {
        let mut put = json!({ "TableName": table.name(), "Item": self.item(table) });
        if self.is(3) {
            put["ReturnValues"] = json!("ALL_OLD");
        }
        let put = self.conditional(put);
        self.with_capacity(put)
    }

    fn update(&mut self, table: Table) -> Json {
        let mut update = json!({
            "TableName": table.name(), "Key": self.key(table), "UpdateExpression": self.clauses(),
        });
        let kinds = ["NONE", "ALL_OLD", "ALL_NEW", "UPDATED_OLD", "UPDATED_NEW"];
        update["ReturnValues"] = json!(self.one(&kinds));
        let update = self.conditional(update);
        self.with_capacity(update)
    }

    fn delete(&mut self, table: Table) -> Json {
        let mut delete = json!({ "TableName": table.name(), "Key": self.key(table) });
        if self.is(3) {
            delete["ReturnValues"] = json!("ALL_OLD");
        }
        let delete = self.conditional(delete);
        self.with_capacity(delete)
    }

    fn projected(&mut self, mut request: Json) -> Json {
        if self.is(3) {
            let first = self.path();
            let second = self.path();
            let both = format!("{first}, {second}");
            request["ProjectionExpression"] = json!(if self.is(2) { first } else { &both });
        }
        request
    }

    fn get(&mut self, table: Table) -> Json {
        let get = json!({ "TableName": table.name(), "Key": self.key(table), "ConsistentRead": self.is(2) });
        let get = self.projected(get);
        let get = self.with_placeholders(get);
        self.with_capacity(get)
    }

    fn page(&mut self, mut request: Json) -> Json {
        if self.is(2) {
            request["Limit"] = json!(1 + self.random.below(4));
        }
        if self.is(3) {
            request["FilterExpression"] = json!(self.condition(1));
        }
        if self.is(6) {
            request["Select"] = json!("COUNT");
        } else {
            request = self.projected(request);
        }
        self.with_placeholders(request)
    }

    fn query(&mut self) -> Json {
        let mut query = json!({ "ScanIndexForward": self.is(2) });
        let (table, index, partition, sort) = self.one(&[
            (Table::Pairs, None, "pk", "sk"),
            (Table::Pairs, Some("by_rank"), "pk", "#rank"),
            (Table::Pairs, Some("by_tag"), "tag", "pk"),
            (Table::Plain, None, "pk", ""),
            (Table::Plain, Some("by_group"), "tag", "#rank"),
        ]);
        query["TableName"] = json!(table.name());
        if let Some(index) = index {
            query["IndexName"] = json!(index);
        }
        let mut condition = format!("{partition} = :pk");
        if !sort.is_empty() && self.is(2) {
            let range = match (sort, self.random.below(3)) {
                ("pk", _) => "begins_with(pk, :pk)".to_owned(),
                (_, 0) => format!("{sort} BETWEEN :low AND :high"),
                (_, 1) => format!("{sort} > :low"),
                _ => format!("{sort} <= :high"),
            };
            condition = format!("{condition} AND {range}");
        }
        query["KeyConditionExpression"] = json!(condition);
        let mut query = self.page(query);
        if table == Table::Plain
            && index.is_none()
            && let Some(members) = query.as_object_mut()
        {
            // Without a sort key there is one item, after which a query cannot be continued.
            members.remove("Limit");
        }
        query
    }

    fn scan(&mut self, table: Table) -> Json {
        let mut scan = json!({ "TableName": table.name() });
        let index = match table {
            Table::Plain => self.one(&[None, Some("by_group")]),
            Table::Pairs => self.one(&[None, Some("by_tag"), Some("by_rank")]),
        };
        if let Some(index) = index {
            scan["IndexName"] = json!(index);
        }
        self.page(scan)
    }

    fn batch_write(&mut self) -> Json {
        let mut requests = json!({});
        for table in [Table::Plain, Table::Pairs] {
            let count = self.random.below(4);
            let list: Vec<Json> = (0..count)
                .map(|_| {
                    if self.is(3) {
                        json!({ "DeleteRequest": { "Key": self.key(table) } })
                    } else {
                        json!({ "PutRequest": { "Item": self.item(table) } })
                    }
                })
                .collect();
            if !list.is_empty() {
                requests[table.name()] = json!(list);
            }
        }
        self.with_capacity(json!({ "RequestItems": requests }))
    }

    fn batch_get(&mut self) -> Json {
        let mut requests = json!({});
        for table in [Table::Plain, Table::Pairs] {
            let count = self.random.below(4);
            let keys: Vec<Json> = (0..count).map(|_| self.key(table)).collect();
            if !keys.is_empty() {
                let get = self.projected(json!({ "Keys": keys }));
                requests[table.name()] = self.with_placeholders(get);
            }
        }
        self.with_capacity(json!({ "RequestItems": requests }))
    }

    fn transact_write(&mut self) -> Json {
        let count = 1 + self.random.below(3);
        let actions = (0..count).map(|_| {
            let table = self.one(&[Table::Plain, Table::Pairs]);
            let name = table.name();
            let (kind, request) = match self.random.below(5) {
                0 | 1 => ("Put", json!({ "TableName": name, "Item": self.item(table) })),
                2 => ("Delete", json!({ "TableName": name, "Key": self.key(table) })),
                3 => {
                    let clauses = self.clauses();
                    ("Update", json!({ "TableName": name, "Key": self.key(table), "UpdateExpression": clauses }))
                }
                _ => {
                    let condition = self.condition(1);
                    let check = json!({ "TableName": name, "Key": self.key(table), "ConditionExpression": condition });
                    return json!({ "ConditionCheck": self.with_placeholders(check) });
                }
            };
            json!({ kind: self.conditional(request) })
        });
        let actions: Vec<Json> = actions.collect();
        let mut request = json!({ "TransactItems": actions });
        if let Some(last) = self.last.clone() {
            if self.is(6) {
                return last;
            }
            if self.is(20) {
                request["ClientRequestToken"] = last["ClientRequestToken"].clone();
                return request;
            }
        }
        if self.is(2) {
            self.tokens += 1;
            request["ClientRequestToken"] = json!(self.tokens.to_string());
            self.last = Some(request.clone());
        }
        self.with_capacity(request)
    }

    fn transact_get(&mut self) -> Json {
        let count = 1 + self.random.below(3);
        let gets = (0..count).map(|_| {
            let table = self.one(&[Table::Plain, Table::Pairs]);
            let get = json!({ "TableName": table.name(), "Key": self.key(table) });
            let get = self.projected(get);
            json!({ "Get": self.with_placeholders(get) })
        });
        let gets: Vec<Json> = gets.collect();
        self.with_capacity(json!({ "TransactItems": gets }))
    }
}
