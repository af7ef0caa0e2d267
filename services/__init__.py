"""The platform's services, the words they share (`contracts`) and the wheels they run on (`chassis`)."""
