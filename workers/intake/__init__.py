"""From the platforms to `orders.raw`: pollers that leave no gap, and signed webhooks. No order is interpreted here."""
