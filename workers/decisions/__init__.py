"""What stands of people's decisions about an order, whoever describes it anew."""
