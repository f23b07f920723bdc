"""WooCommerce: a self-built mall on WordPress. REST API v3, plain receivers, money in the shop's currency."""
