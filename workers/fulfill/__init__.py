"""Takes in what the warehouses answer: stock follows the goods, and what a warehouse gives back is placed anew."""
