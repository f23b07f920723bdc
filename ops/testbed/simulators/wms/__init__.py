"""A simulated WMS: reads `orders.routed.<warehouse>` and answers on `wms.events`, as a real one would."""
