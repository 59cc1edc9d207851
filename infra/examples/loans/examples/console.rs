//! The library with its console, for people: `cargo build && cargo run --example console`, in the
//! folder of this package. The console sends requests as Ada, Bob or Lena, whose tokens are those of
//! the tests' issuer.

#[path = "../tests/http/service.rs"]
#[allow(dead_code, reason = "the tests use the other parts")]
mod service;

use emulator::BoxError;
use testkit::Running;

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let library = service::at_the_usual_ports().await?;
    println!("API      {}", library.platform().api_url());
    println!("console  {}", library.platform().control_url());
    std::future::pending().await
}
