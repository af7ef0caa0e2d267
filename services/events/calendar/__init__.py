"""Calendar: events from draft to publication or cancellation."""
