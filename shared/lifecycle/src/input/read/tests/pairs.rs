//! Query strings and headers.

use super::*;

#[test]
fn query_parameters_are_as_strictly_typed_as_a_body() {
    let page =
        |of: &[(&str, &str)]| pairs::<Page>(Place::Query, of.iter().map(|(k, v)| (*k, Some(*v))));
    let read = page(&[("pageSize", "20"), ("order", "desc")]).unwrap();
    assert_eq!((read.page_size, read.order), (20, Some(Direction::Desc)));
    assert_eq!(page(&[("pageSize", "1")]).unwrap().order, None);

    for (given, expected) in [
        (
            &[("pageSize", "many"), ("order", "1; DROP TABLE"), ("offset", "3")][..],
            &["query.offset", "query.order", "query.pageSize"][..],
        ),
        (&[], &["query.pageSize"]),
        (&[("pageSize", "1"), ("pageSize", "2")], &["query.pageSize"]),
        (
            &[("pageSize", "1"), ("order", "x"), ("pageSize", "1"), ("y", ""), ("y", "")],
            &["query.order", "query.pageSize", "query.y"],
        ),
        (&[("pageSize", "+5")], &["query.pageSize"]),
        (&[("pageSize", "05")], &["query.pageSize"]),
        (&[("pageSize", "5.0")], &["query.pageSize"]),
        (&[("pageSize", "")], &["query.pageSize"]),
        (&[("pageSize", "256")], &["query.pageSize"]),
    ] {
        assert_eq!(fields(page(given)), expected, "{given:?}");
    }
}

#[test]
fn unknown_headers_are_ignored_and_known_ones_reported_in_title_case() {
    let read = |of: &[(&str, &str)]| {
        pairs::<Mandatory>(Place::Headers, of.iter().map(|(k, v)| (*k, Some(*v))))
    };
    let given = [("accept", "x"), ("x-partner-id", "acme"), ("accept", "y"), ("if-match", "7")];
    let mandatory = read(&given).unwrap();
    assert_eq!((mandatory.x_partner_id.as_str(), mandatory.if_match), ("acme", Some(7)));
    let twice = [("x-partner-id", "a"), ("x-partner-id", "b"), ("if-match", "x")];
    assert_eq!(fields(read(&twice)), ["header.If-Match", "header.X-Partner-Id"]);
    assert_eq!(fields(read(&[])), ["header.X-Partner-Id"]);
}

#[test]
fn a_value_that_is_not_text_is_reported_as_such_and_not_as_missing() {
    for (place, field, message) in [
        (Place::Headers, "header.X-Partner-Id", "must be visible ASCII characters"),
        (Place::Query, "query.x-partner-id", "must be UTF-8"),
    ] {
        let read = pairs::<Mandatory>(place, [("x-partner-id", None)].into_iter());
        assert_eq!(told(read), [(field.to_owned(), message.to_owned())]);
    }
}
