//! The object service: objects with even ids are online.

use http::{Request, Response, StatusCode};
use serde_json::json;
use simulation::Millis;
use simulation::random::Random;
use simulation::world::Upstream;

use super::answers::in_json;

/// The object service.
#[derive(Debug, Clone, Copy, Default)]
pub struct Objects;

impl Upstream for Objects {
    fn answer(
        &mut self,
        request: &Request<Vec<u8>>,
        _now: Millis,
        _random: &mut dyn Random,
    ) -> Response<Vec<u8>> {
        match object(request) {
            Some(id) => in_json(StatusCode::OK, &json!({ "id": id, "online": id % 2 == 0 })),
            None => in_json(StatusCode::NOT_FOUND, &json!({ "message": "no such address" })),
        }
    }

    /// The answer about another object, or another shape.
    fn wrong_answer(
        &mut self,
        request: &Request<Vec<u8>>,
        random: &mut dyn Random,
    ) -> Response<Vec<u8>> {
        let other = object(request).unwrap_or_default().wrapping_add(2);
        let answers = [
            json!({ "id": other, "online": true }),
            json!({ "online": true }),
            json!({ "id": other, "online": "yes" }),
            json!([]),
        ];
        in_json(StatusCode::OK, &answers[random.index(answers.len())])
    }
}

fn object(request: &Request<Vec<u8>>) -> Option<i64> {
    request.uri().path().strip_prefix("/objects/")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use simulation::random::Seeded;

    use super::*;

    #[test]
    fn even_objects_are_online_and_a_wrong_answer_is_about_another_one() {
        let request = |path: &str| Request::get(path).body(Vec::new()).unwrap();
        let random = &mut Seeded::new(1);
        for (path, status, online) in [
            ("/objects/2", 200, Some(true)),
            ("/objects/-3", 200, Some(false)),
            ("/objects/two", 404, None),
        ] {
            let answer = Objects.answer(&request(path), Millis(0), random);
            let body: Value = serde_json::from_slice(answer.body()).unwrap();
            let found = (answer.status().as_u16(), body["online"].as_bool());
            assert_eq!(found, (status, online), "{path}");
        }
        let wrong = Objects.wrong_answer(&request("/objects/2"), random);
        let body: Value = serde_json::from_slice(wrong.body()).unwrap();
        assert_ne!(body["id"], 2);
    }
}
