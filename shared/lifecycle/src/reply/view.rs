//! The data of a response, in one of the API's shapes.

use bytes::Bytes;
use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform};
use schemars::{JsonSchema, Schema};
use serde::Serialize;
use serde_json::{Value, json};

use crate::error::BoxError;
use crate::paging::{Direction, PageLimit};
use crate::stored;

/// The data of a response, in one of the API's shapes.
///
/// A type with a JSON form and a schema is sent as `{"data": …}`; [`Page`], [`Bare`] and [`NoBody`]
/// are the other shapes. The shape is part of the type, so that the endpoint's description includes
/// it.
///
/// A type without these traits can implement `View` itself, for another media type. Clients that do
/// not accept that type get a 406. Errors are JSON all the same.
///
/// ```
/// use lifecycle::error::BoxError;
/// use lifecycle::reply::{Body, View};
///
/// /// The stock as a table.
/// struct Stock(Vec<(String, u32)>);
///
/// impl View for Stock {
///     const MEDIA_TYPE: &'static str = "text/csv; charset=utf-8";
///
///     fn body(self) -> Result<Body, BoxError> {
///         let lines = self.0.into_iter().map(|(name, count)| format!("{name},{count}\r\n"));
///         Ok(lines.collect::<String>().into())
///     }
///
///     fn schema() -> serde_json::Value {
///         serde_json::json!({ "type": "string" })
///     }
/// }
///
/// let body = Stock(vec![("lamp".to_owned(), 3)]).body().unwrap();
/// assert_eq!(body, "lamp,3\r\n");
/// ```
#[diagnostic::on_unimplemented(
    message = "stage 9: `{Self}` cannot be the data of a reply",
    label = "lacks `Serialize`, `JsonSchema` or `Send`",
    note = "derive `serde::Serialize` and `schemars::JsonSchema` for it, or use `Page` for a list, `Bare` for data without an envelope"
)]
pub trait View: Send {
    /// The media type of the body, in lower case, with parameters if any: visible ASCII. A reply
    /// with another one does not compile:
    ///
    /// ```compile_fail,E0080
    /// use lifecycle::error::BoxError;
    /// use lifecycle::reply::{self, Body, Reply, View};
    ///
    /// struct Stock;
    ///
    /// impl View for Stock {
    ///     const MEDIA_TYPE: &'static str = "text/csv\r\n";
    ///
    ///     fn body(self) -> Result<Body, BoxError> {
    ///         Ok(Body::new())
    ///     }
    ///
    ///     fn schema() -> serde_json::Value {
    ///         serde_json::json!({ "type": "string" })
    ///     }
    /// }
    ///
    /// let sent = reply::Ok::of(Stock).serialise();
    /// ```
    const MEDIA_TYPE: &'static str = "application/json";

    /// The body. One that is not UTF-8 reaches the client as these bytes, too.
    ///
    /// # Errors
    ///
    /// When the view cannot be written, for example when its `Serialize` fails: a defect of its
    /// type.
    fn body(self) -> Result<Body, BoxError>;

    /// The schema of the body (JSON Schema 2020-12); `null` where there is no body.
    fn schema() -> Value;
}

/// The bytes of a body.
pub type Body = Bytes;

fn json_body(value: &impl Serialize) -> Result<Body, BoxError> {
    Ok(serde_json::to_vec(value)?.into())
}

/// `{"data": …}`
#[diagnostic::do_not_recommend]
impl<T: Serialize + JsonSchema + Send> View for T {
    fn body(self) -> Result<Body, BoxError> {
        #[derive(Serialize)]
        struct Data<T> {
            data: T,
        }
        json_body(&Data { data: self })
    }

    fn schema() -> Value {
        within("data", shown::<T>(), json!({}))
    }
}

/// One page of a list: `{"data": […], "count": …, "limit": …, "order": …, "nextCursor": …}`.
#[derive(Debug)]
pub struct Page<V> {
    /// The items.
    pub items: Vec<V>,
    /// The maximum number of items that was requested.
    pub limit: PageLimit,
    /// The direction in which the list is read.
    pub order: Direction,
    /// The position where the next page begins; absent on the last page.
    pub next_cursor: Option<String>,
}

impl<V> Page<V> {
    /// Converts each item of the page.
    pub fn map<W>(self, form: impl FnMut(V) -> W) -> Page<W> {
        let items = self.items.into_iter().map(form).collect();
        Page { items, limit: self.limit, order: self.order, next_cursor: self.next_cursor }
    }
}

impl<V: Serialize + JsonSchema + Send> View for Page<V> {
    fn body(self) -> Result<Body, BoxError> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Counted<V> {
            data: Vec<V>,
            count: usize,
            limit: u8,
            order: &'static str,
            #[serde(skip_serializing_if = "Option::is_none")]
            next_cursor: Option<String>,
        }
        json_body(&Counted {
            count: self.items.len(),
            data: self.items,
            limit: self.limit.get(),
            order: self.order.as_str(),
            next_cursor: self.next_cursor,
        })
    }

    fn schema() -> Value {
        let others = json!({
            "count": { "type": "integer", "minimum": 0 },
            "limit": { "type": "integer", "minimum": 1, "maximum": 100 },
            "order": { "title": "SortOrder", "type": "string", "enum": ["asc", "desc"] },
            "nextCursor": { "type": "string" },
        });
        let mut schema = within("data", shown::<Vec<V>>(), others);
        schema["required"] = json!(["data", "count", "limit", "order"]);
        schema
    }
}

/// The view without `data` around it: for formats that a standard defines, such as a JSON Web Key
/// Set.
#[derive(Debug)]
pub struct Bare<V>(pub V);

impl<V: Serialize + JsonSchema + Send> View for Bare<V> {
    fn body(self) -> Result<Body, BoxError> {
        json_body(&self.0)
    }

    fn schema() -> Value {
        shown::<V>().to_value()
    }
}

/// The view of a response without a body; it has no values.
#[derive(Debug, Clone, Copy)]
pub enum NoBody {}

impl View for NoBody {
    fn body(self) -> Result<Body, BoxError> {
        match self {}
    }

    fn schema() -> Value {
        Value::Null
    }
}

/// The schema of a view. Without the limits of input, because an earlier version may have stored
/// the data under others. A field that is always written is required, even if reading has a default
/// for it.
fn shown<V: JsonSchema>() -> Schema {
    let writing = SchemaSettings::draft2020_12().for_serialize();
    stored::reading(|| writing.into_generator().into_root_schema_for::<V>())
}

/// Lets the references of a view that contains itself point to its place, instead of the root.
fn replace_roots(schema: &mut Schema, place: &str) {
    let replace = |schema: &mut Schema| {
        if schema.get("$ref").is_some_and(|reference| reference == "#") {
            schema.insert("$ref".to_owned(), place.into());
        }
    };
    RecursiveTransform(replace).transform(schema);
}

/// The schema of an object with the view in one of its fields. Definitions stay at the root, which
/// is where references point.
fn within(name: &str, mut view: Schema, others: Value) -> Value {
    replace_roots(&mut view, &format!("#/properties/{name}"));
    let mut view = view.to_value();
    let definitions = view.as_object_mut().and_then(|view| view.remove("$defs"));
    let mut properties = others;
    properties[name] = view;
    let mut schema = json!({ "type": "object", "properties": properties, "required": [name] });
    if let Some(definitions) = definitions {
        schema["$defs"] = definitions;
    }
    schema
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize, JsonSchema)]
    struct Leaf {
        green: bool,
    }

    #[derive(Serialize, JsonSchema)]
    struct Tree {
        leaves: Vec<Leaf>,
    }

    fn page() -> Page<Leaf> {
        Page {
            items: vec![Leaf { green: true }],
            limit: PageLimit::default(),
            order: Direction::Ascending,
            next_cursor: Some("c".to_owned()),
        }
    }

    #[test]
    fn each_view_is_serialised_in_its_shape() {
        let page =
            r#"{"data":[{"green":true}],"count":1,"limit":20,"order":"asc","nextCursor":"c"}"#;
        assert_eq!(self::page().body().unwrap(), page);
        assert_eq!(Leaf { green: true }.body().unwrap(), r#"{"data":{"green":true}}"#);
        assert_eq!(Bare(Leaf { green: true }).body().unwrap(), r#"{"green":true}"#);
    }

    #[derive(Serialize, JsonSchema)]
    struct Branch {
        branches: Vec<Branch>,
    }

    #[test]
    fn a_view_that_contains_itself_refers_to_its_place() {
        let items = |schema: Value, place: &str| schema.pointer(place).unwrap()["$ref"].clone();
        let place = "/properties/data/properties/branches/items";
        assert_eq!(items(<Branch as View>::schema(), place), "#/properties/data");
        assert_eq!(items(<Bare<Branch> as View>::schema(), &place[16..]), "#");
    }

    #[test]
    fn the_definitions_of_a_schema_stay_at_its_root() {
        let schema = <Tree as View>::schema();
        let reference = schema.pointer("/properties/data/properties/leaves/items/$ref").unwrap();
        let pointer = reference.as_str().unwrap().trim_start_matches('#');
        assert!(schema.pointer(pointer).is_some(), "{schema}");
    }
}
