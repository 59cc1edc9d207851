//! A type that is neither an endpoint nor a query.

struct Door;

fn main() {
    let _ = lifecycle::describe::endpoint::<Door>();
}
