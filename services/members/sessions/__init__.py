"""Sessions: members sign in, stay signed in and sign out, on each of their devices."""
