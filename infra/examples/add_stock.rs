//! A consumer: messages of the queue `deliveries` add to the stock of a product.
//!
//! A message may be delivered twice; the inbox remembers its id in the commit that has its effect, so
//! it adds once. A message that cannot be read goes to the dead-letter queue, with the reason. Run
//! `eval "$(curl -s http://127.0.0.1:3001/environment)"` to send one with the AWS CLI.

use lifecycle::Consumer;
use lifecycle::effects::{EventData, QueueName, text};
use lifecycle::prelude::*;
use lifecycle::record::{Key, Record, TableName};
use serde::{Deserialize, Serialize};

fn main() -> ExitCode {
    aws::consume(|_| AddStock)
}

const DELIVERIES: QueueName = QueueName::new("deliveries");
const STOCK: TableName = TableName::new("stock");

struct AddStock;

impl Consumer for AddStock {
    const SOURCE: Source = Source::Queue(DELIVERIES);

    const RESOURCES: Resources = &[Resource::Table(STOCK, &[UpdateItem])];

    // 4. Deserialisation
    type Input = Envelope<Delivered>;

    // 5. Syntax validation
    type Command = Envelope<Delivered>;

    // 6. Retrieval: nothing is needed
    type Facts = ();

    async fn retrieve(
        &self,
        _: &Permit<DeliveredMessage>,
        _: &Envelope<Delivered>,
    ) -> Retrieved<()> {
        Ok(())
    }

    // 7. and 8. One addition, in one transaction with the id of the message
    fn decide(_: &Moment, delivered: &Envelope<Delivered>, (): ()) -> Result<Effects, DomainError> {
        let Delivered { product, pieces } = &delivered.data;
        let stock = Write::update::<Stock>(Key::new(product));
        let stock = stock.set("product", text(product)).add("pieces", i64::from(*pieces));
        Ok(Effects::none().write(stock))
    }
}

/// Pieces of a product have been delivered.
#[derive(Debug, Serialize, Deserialize)]
struct Delivered {
    product: String,
    pieces: u32,
}

impl EventData for Delivered {
    const TYPE: &'static str = "Delivered";
}

/// The stock of a product.
#[derive(Debug, Serialize, Deserialize)]
struct Stock {
    product: String,
    pieces: u32,
}

impl Record for Stock {
    const TABLE: TableName = STOCK;

    fn key(&self) -> Key {
        Key::new(&self.product)
    }
}

#[cfg(test)]
mod tests {
    use lifecycle::testing::{self, Memory};
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn a_message_that_is_delivered_twice_adds_once() {
        let memory = Memory::new();
        let add_stock = testing::consumer(AddStock, &memory);
        let delivered = Delivered { product: "lamp".to_owned(), pieces: 12 };
        let message = testing::envelope("event-1", "lamp", &delivered);

        assert!(add_stock.messages(&[&message]).await.failed.is_empty());
        assert!(add_stock.messages(&[&message]).await.failed.is_empty());

        assert_eq!(memory.get::<Stock>(&Key::new("lamp")).unwrap().pieces, 12);
    }

    #[tokio::test]
    async fn a_message_of_another_shape_is_dead_lettered() {
        let memory = Memory::new();
        let consumed = testing::consumer(AddStock, &memory).messages(&[json!({})]).await;
        assert!(consumed.failed.is_empty(), "{consumed:?}");
        assert_eq!(memory.dead_letters().len(), 1);
    }
}
