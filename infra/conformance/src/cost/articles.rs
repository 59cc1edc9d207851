//! Articles: written, edited, approved, published and read.

use hyper::{Method, StatusCode};
use serde_json::json;
use tooling::Error;

use super::lab::{Ask, Lab, Until, all_told};

pub(super) async fn count(lab: &mut Lab<'_>) -> Result<(), Error> {
    let draft = json!({ "title": "How lamps shine", "content": "They glow." });
    let asks = lab.each(|_| lab.by("writer", Method::POST, "/articles").with(draft.clone()));
    let articles = lab.count("POST /articles", StatusCode::CREATED, Until::Each, asks).await?;
    let articles = all_told(&articles, "articleId")?;
    let paths: Vec<_> = articles.iter().map(|article| format!("/articles/{article}")).collect();

    let edit = json!({ "content": "They shine." });
    let asks = paths.iter().map(|path| lab.by("writer", Method::PATCH, path).with(edit.clone()));
    let asks = asks.collect();
    lab.count("PATCH /articles/{articleId}", StatusCode::OK, Until::Each, asks).await?;

    let approvals = |lab: &Lab<'_>, editor: &str| -> Vec<Ask> {
        let path = |article: &String| format!("{article}/approvals/me");
        paths.iter().map(|it| lab.by(editor, Method::PUT, &path(it))).collect()
    };
    let asks = approvals(lab, "editor");
    let name = "PUT /articles/{articleId}/approvals/me";
    lab.count(name, StatusCode::NO_CONTENT, Until::Each, asks).await?;

    let path = |article: &String| format!("{article}/share-links");
    let asks = paths.iter().map(|it| lab.by("writer", Method::POST, &path(it))).collect();
    let name = "POST /articles/{articleId}/share-links";
    lab.count(name, StatusCode::CREATED, Until::Each, asks).await?;

    publish(lab, &paths[0]).await?;
    let asks = lab.each(|_| lab.by("anonymous", Method::GET, &paths[0]));
    lab.count("GET /articles/{articleId}", StatusCode::OK, Until::Last, asks).await?;
    Ok(())
}

/// Publishes an article that one editor has approved.
async fn publish(lab: &Lab<'_>, path: &str) -> Result<(), Error> {
    let approval = lab.by("editor2", Method::PUT, &format!("{path}/approvals/me"));
    let status = lab.by("editor", Method::PATCH, path).with(json!({ "status": "PUBLISHED" }));
    for (ask, expected) in [(approval, StatusCode::NO_CONTENT), (status, StatusCode::OK)] {
        let answer = lab.ask(&ask).await?;
        if answer.status != expected {
            return Err(format!("{path} is not published: {answer:?}").into());
        }
    }
    Ok(())
}
