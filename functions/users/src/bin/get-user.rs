fn main() -> std::process::ExitCode {
    users::get_user::main()
}
