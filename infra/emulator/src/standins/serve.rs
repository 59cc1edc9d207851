//! The common part of all stand-ins: listening, reading, recording and faults.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::time::sleep;

use super::asked::Asked;
use super::service::Service;
use super::switch::Switch;
use crate::accept::accepted;
use crate::faults::FakeResponse;
use crate::visitors::{self, Hosts};

/// The maximum bytes of a request.
const BODY_BYTES_MAX: usize = 1024 * 1024;

/// The reason why there is no response.
#[derive(Debug, thiserror::Error)]
#[error("the connection is closed")]
struct HungUp;

/// The state shared by a stand-in's connections.
struct Shared<S: Service> {
    service: S,
    switch: Arc<Switch<S::Faults>>,
    asked: Arc<Asked>,
}

/// Opens a stand-in's listener. Returns its address, and a future that serves it.
pub(super) async fn start<S: Service>(
    service: S,
    switch: Arc<Switch<S::Faults>>,
    asked: Arc<Asked>,
) -> Result<(String, impl Future<Output = ()> + Send + 'static), io::Error> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let url = format!("http://{}", listener.local_addr()?);
    let shared = Arc::new(Shared { service, switch, asked });
    let served = async move {
        loop {
            let (stream, _) = accepted(|| listener.accept()).await;
            let shared = Arc::clone(&shared);
            let answers = service_fn(move |request| {
                let shared = Arc::clone(&shared);
                async move { shared.answer(request).await }
            });
            let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), answers);
            // The connection ends when its client or a fault closes it.
            tokio::spawn(async move { drop(connection.await) });
        }
    };
    Ok((url, served))
}

impl<S: Service> Shared<S> {
    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, HungUp> {
        let (head, body) = request.into_parts();
        if let Err(turned) = visitors::admit(&head, Hosts::Figures) {
            return Ok(FakeResponse::new(turned.status, json!({ "message": turned.reason })).into());
        }
        let body = Limited::new(body, BODY_BYTES_MAX).collect().await.map_err(|_| HungUp)?;
        let request = Request::from_parts(head, body.to_bytes());
        let mut in_flight = self.asked.note(&request);
        let path = request.uri().path();
        let fault = self.switch.strike(|faults| S::fault(faults, path));
        sleep(fault.delay_ms.into()).await;
        if fault.down {
            return Err(HungUp);
        }
        if let Some(answer) = fault.answer {
            in_flight.answered(answer.status.0.as_u16());
            return Ok(answer.into());
        }
        let faults = self.switch.faults();
        sleep(self.service.takes(&request, &faults)).await;
        let answer = self.service.answer(&request, &faults);
        in_flight.answered(answer.status.0.as_u16());
        Ok(answer.into())
    }
}

impl From<FakeResponse> for Response<Full<Bytes>> {
    fn from(answer: FakeResponse) -> Self {
        let body = if answer.body.is_null() { String::new() } else { answer.body.to_string() };
        let mut response = Response::new(Full::from(body));
        *response.status_mut() = answer.status.0;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(seconds) = answer.retry_after_s {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        response
    }
}
